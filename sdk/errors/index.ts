export { ERROR_KINDS, ERRORS, type ErrorCode, type ErrorKind, type ErrorRow } from "./table.js";
export { isTepuiError, messageOf, TepuiError, type TepuiErrorOptions } from "./tepui-error.js";
