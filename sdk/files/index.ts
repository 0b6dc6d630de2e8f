export { DirectoryLock } from "./directory-lock.js";
export { makeDirectory } from "./make-directory.js";
