import {
  Resource_DiskInfo_Source_Type as DiskSource,
  type Offer_Operation_CreateDisk,
  type Offer_Operation_DestroyDisk,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { resourceText, validateUsedResources } from "../../../sdk/resources/index.js";

/* Disks of resource providers. */

export function validateCreateDisk(create: Offer_Operation_CreateDisk): string | undefined {
  const { source, target_type: type, target_profile: profile } = create;
  if (source === undefined) return "'source' must be set";
  const problem = validateUsedResources([source]);
  if (problem !== undefined) return `Invalid resource: ${problem}`;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  if (source.disk?.source?.type !== DiskSource.RAW) return "'source' is not a RAW disk resource";
  if (type !== DiskSource.MOUNT && type !== DiskSource.BLOCK) {
    return "'target_type' is neither MOUNT or BLOCK";
  }
  if ((source.disk.source.profile !== undefined) !== (profile !== undefined)) return undefined;
  return profile === undefined
    ? "'target_profile' must be set when 'source' has no profile"
    : "'target_profile' must not be set when 'source' has a profile";
}

export function validateDestroyDisk({ source }: Offer_Operation_DestroyDisk): string | undefined {
  if (source === undefined) return "'source' must be set";
  const problem = validateUsedResources([source]);
  if (problem !== undefined) return `Invalid resource: ${problem}`;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  const type = source.disk?.source?.type;
  if (type !== DiskSource.MOUNT && type !== DiskSource.BLOCK && type !== DiskSource.RAW) {
    return "'source' is neither a MOUNT, BLOCK or RAW disk resource";
  }
  if (source.disk?.source?.id === undefined) return "'source' is not backed by a CSI volume";
  return source.disk.persistence === undefined
    ? undefined
    : `A disk resource containing a persistent volume ${resourceText(source)} cannot be destroyed directly. Please destroy the persistent volume first then destroy the disk resource`;
}
