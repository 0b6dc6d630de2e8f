export { validateContainerId } from "./container-id.js";
export {
  MAX_CONTAINER_ID_BYTES,
  MAX_ID_BYTES,
  validateAgentId,
  validateExecutorId,
  validateFrameworkId,
  validateId,
  validateTaskId,
} from "./validate.js";
