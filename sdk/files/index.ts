export { DirectoryLock } from "./directory-lock.js";
export { makeDirectory } from "./make-directory.js";
export { restoringBeside } from "./restoring.js";
