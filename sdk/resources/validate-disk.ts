import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Resource_DiskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { diskSourceText } from "./print.js";

/** What is wrong with the DiskInfo of a resource of that name, in Mesos's words. */
export function validateDisk(name: string, disk: Resource_DiskInfo): string | undefined {
  if (name !== "disk") return `DiskInfo should not be set for ${name} resource`;
  const { source } = disk;
  switch (source?.type) {
    case DiskSourceType.PATH:
    case DiskSourceType.MOUNT:
      return undefined;
    case DiskSourceType.BLOCK:
    case DiskSourceType.RAW: {
      const type = DiskSourceType[source.type];
      if (source.mount !== undefined) return `Mount should not be set for ${type} disk source`;
      if (source.path !== undefined) return `Path should not be set for ${type} disk source`;
      return undefined;
    }
    default:
      return source === undefined
        ? undefined
        : `Unsupported 'DiskInfo.Source.Type' in '${diskSourceText({ ...source, type: DiskSourceType.UNKNOWN })}'`;
  }
}
