export { type Account, accountOf, isOwnUser } from "./account.js";
export {
  isAlive,
  loadProcessStat,
  type ProcessStat,
  parseProcessStat,
  readProcessStat,
} from "./process-stat.js";
export { allProcesses, processTree, type TreeOptions } from "./process-tree.js";
