export {
  isAlive,
  loadProcessStat,
  type ProcessStat,
  parseProcessStat,
  readProcessStat,
} from "./process-stat.js";
export { allProcesses, processTree, type TreeOptions } from "./process-tree.js";
