/** Name patterns of function breakpoints: `*` stands for any text, upper and lower case are the same. */
export function globToRegExp(pattern: string): RegExp {
  const text = pattern
    .trim()
    .replace(/\(\s*\)$/, "")
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*");
  return new RegExp(`^${text}$`, "i");
}
