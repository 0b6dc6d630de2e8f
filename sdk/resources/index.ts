export { ResourceAccumulator } from "./accumulator.js";
export { applyCheckpointed, needsCheckpoint } from "./checkpoint.js";
export {
  applyConversions,
  applyOperation,
  conversionsOf,
  type ResourceConversion,
} from "./conversion.js";
export {
  quantitiesJson,
  reservedResourceListsJson,
  reservedResourcesJson,
  resourceListJson,
  resourcesJson,
} from "./endpoint-json.js";
export { entryOf, ResourceEntry } from "./entry.js";
export { findResources } from "./find.js";
export {
  convertResource,
  convertResources,
  hasRefinedReservations,
  isPostRefinement,
  type ResourceFormat,
  toPostRefinement,
} from "./format.js";
export { resourcesFromJson } from "./json.js";
export { ResourceKind } from "./kind.js";
export { isSpeculative, mapOperationResources, operationResources } from "./operation-resources.js";
export { parseResourceList, parseResources } from "./parse.js";
export { resourceText } from "./print.js";
export {
  addQuantities,
  containsQuantities,
  parseQuantities,
  type Quantities,
  quantitiesToRecord,
  subtractQuantities,
} from "./quantities.js";
export { popReservation, pushReservation } from "./reservations.js";
export { Resources } from "./resources.js";
export { failure, type Result, success } from "./result.js";
export {
  haveOverlap,
  validateGpus,
  validatePersistentVolumes,
  validateRevocableUse,
  validateSingleAllocationRole,
  validateSingleProvider,
  validateUniquePersistenceIds,
  validateUsedResources,
} from "./rules.js";
export { doubleJson, fromMilli, scalarJson, scalarText, toMilli } from "./scalar.js";
export { validateResource, validateResources } from "./validate.js";
export { parseValue } from "./value-text.js";
