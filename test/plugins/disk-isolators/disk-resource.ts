import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";

/** @param value megabytes */
export const disk = (value: number, more: object = {}): Resource => ({
  name: "disk",
  type: 0,
  scalar: { value },
  reservations: [],
  ...more,
});
