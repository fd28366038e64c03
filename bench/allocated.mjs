import process from 'node:process';
import { GCProfiler, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Counts the bytes of this process's JavaScript heap that are taken from now on: what it grew by between collections, by
 * V8's own accounts of them. Nearly the same in every run, whatever else the machine does; memory outside of the heap
 * (buffers) is not in it.
 * @returns {() => number} ends it, and gives the bytes
 */
export function startCounting() {
  setFlagsFromString('--expose-gc');
  /** @type {() => void} */
  const collectGarbage = runInNewContext('gc');
  collectGarbage();
  const profiler = new GCProfiler();
  let before = process.memoryUsage().heapUsed;
  profiler.start();
  return () => {
    const after = process.memoryUsage().heapUsed;
    let bytes = 0;
    for (const { beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
      bytes += beforeGC.heapStatistics.usedHeapSize - before;
      before = afterGC.heapStatistics.usedHeapSize;
    }
    return bytes + after - before;
  };
}
