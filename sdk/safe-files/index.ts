export { type Owner, pathInside, SafeDirectory } from "./safe-directory.js";
