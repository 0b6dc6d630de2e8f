export { ENTER_SANDBOX } from "./enter-sandbox.js";
export { type Owner, pathInside, SafeDirectory } from "./safe-directory.js";
