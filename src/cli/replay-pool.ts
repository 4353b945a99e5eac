/** Replays many files on the cores of the machine. Workers run the same bundle as the command itself. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type FileReport, type ReplayFileOptions, replayFile } from "./replay-file.ts";

const WORK = "tdxflow-replay";

interface Work {
  readonly kind: typeof WORK;
  readonly options: ReplayFileOptions;
}

/** True in a thread that this module started: then it has taken over, and the command line must not run. */
export function serveReplay(): boolean {
  const work = workerData as Work | undefined;
  if (isMainThread || parentPort === null || work?.kind !== WORK) return false;
  const port = parentPort;
  port.on("message", (file: string) => port.postMessage(replayFile(file, work.options)));
  return true;
}

/**
 * Calls `done` with the report of each file as soon as it is ready.
 *
 * @param jobs threads at most; 0 = as many as there are cores
 */
export async function replayFiles(
  files: readonly string[],
  jobs: number,
  options: ReplayFileOptions,
  done: (report: FileReport) => void,
): Promise<void> {
  const threads = Math.min(jobs || availableParallelism(), files.length);
  if (threads <= 1) {
    for (const file of files) done(replayFile(file, options));
    return;
  }
  const queue = [...files];
  const runs = Array.from({ length: threads }, () => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { kind: WORK, options } satisfies Work });
    return new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const file = queue.shift();
        if (file !== undefined) worker.postMessage(file);
        else worker.terminate().then(() => resolve(), reject);
      };
      worker.on("message", (report: FileReport) => {
        done(report);
        next();
      });
      worker.on("error", reject);
      next();
    });
  });
  await Promise.all(runs);
}
