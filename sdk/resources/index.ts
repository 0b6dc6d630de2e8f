export { ResourceEntry } from "./entry.js";
export { convertResource, convertResources, hasRefinedReservations, type ResourceFormat } from "./format.js";
export { ResourceKind, type ResourceKindParts } from "./kind.js";
export { resourceText } from "./print.js";
export { type Quantities, Resources } from "./resources.js";
export { failure, type Result, success } from "./result.js";
export { fromMilli, MAX_SCALAR, scalarJson, scalarText, toMilli } from "./scalar.js";
export { validateResource, validateResources } from "./validate.js";
