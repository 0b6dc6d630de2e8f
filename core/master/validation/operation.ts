import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { validateCreateDisk, validateDestroyDisk } from "./disk-operations.js";
import type { OperationTarget } from "./operation-target.js";
import { validateReserve, validateUnreserve } from "./reservation-operations.js";
import { validateCreate, validateDestroy, validateGrow, validateShrink } from "./volume-operations.js";

/**
 * What is wrong with an offer operation, in Mesos's words and order. Each of its resources is valid by itself and in the post-refinement
 * format.
 * Source: src/master/validation.cpp, namespace `operation`.
 */
export function validateOperation(operation: Offer_Operation, target: OperationTarget): string | undefined {
  switch (operation.type) {
    case OperationType.RESERVE:
      return validateReserve(operation.reserve!, target);
    case OperationType.UNRESERVE:
      return validateUnreserve(operation.unreserve!.resources);
    case OperationType.CREATE:
      return validateCreate(operation.create!, target);
    case OperationType.DESTROY:
      return validateDestroy(operation.destroy!.volumes, target.agent);
    case OperationType.GROW_VOLUME:
      return validateGrow(operation.grow_volume!, target.agent);
    case OperationType.SHRINK_VOLUME:
      return validateShrink(operation.shrink_volume!, target.agent);
    case OperationType.CREATE_DISK:
      return validateCreateDisk(operation.create_disk!);
    case OperationType.DESTROY_DISK:
      return validateDestroyDisk(operation.destroy_disk!);
    default:
      return "Unknown offer operation";
  }
}
