export {
  containerCgroup,
  containerName,
  isWithinAnother,
  rootContainer,
  validateContainerId,
} from "./container-id.js";
export { MAX_CONTAINER_ID_BYTES, MAX_ID_BYTES, validateId } from "./validate.js";
