export { type Account, accountOf, isOwnUser } from "./account.js";
export {
  isAlive,
  type ProcessStat,
  parseProcessStat,
  readProcessStat,
} from "./process-stat.js";
export { processTree, type TreeOptions } from "./process-tree.js";
