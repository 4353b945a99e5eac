/**
 * Least and greatest S-EPT level that each leaf takes in its `level` operand (TDX Module ABI specification 1.5, "EPT mapping
 * information"): 0 maps 4 KiB, 1 2 MiB, 2 1 GiB. 4 is an entry of a fifth level's root; with four levels the module refuses it too.
 */
const ROOT = 4;

export const leafLevels: Readonly<Record<string, readonly [least: number, most: number]>> = {
  "TDH.MEM.PAGE.ADD": [0, 0],
  "TDH.MEM.PAGE.AUG": [0, 1],
  "TDH.MEM.PAGE.DEMOTE": [1, 2],
  "TDH.MEM.PAGE.PROMOTE": [1, 2],
  "TDH.MEM.PAGE.RELOCATE": [0, 0],
  "TDH.MEM.PAGE.REMOVE": [0, 2],
  "TDH.MEM.RANGE.BLOCK": [0, ROOT],
  "TDH.MEM.RANGE.UNBLOCK": [0, ROOT],
  "TDH.MEM.SEPT.ADD": [1, ROOT],
  "TDH.MEM.SEPT.RD": [0, ROOT],
  "TDH.MEM.SEPT.REMOVE": [1, ROOT],
  "TDG.MEM.PAGE.ACCEPT": [0, 1],
  "TDG.MEM.PAGE.ATTR.WR": [0, 2],
};
