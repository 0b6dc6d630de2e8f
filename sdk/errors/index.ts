export { errnoOf } from "./errno.js";
export { ERROR_KINDS, ERRORS, type ErrorCode, type ErrorKind } from "./table.js";
export { isTepuiError, messageOf, TepuiError, type TepuiErrorOptions } from "./tepui-error.js";
