export { type AddressInput, addressText, type DaemonAddress, parseAddresses } from "./address.js";
export type { BackoffOptions } from "./backoff.js";
export {
  AddressError,
  AuthenticationError,
  CallRefusedError,
  ForbiddenError,
  NotLeaderError,
  NotSubscribedError,
  ProtocolError,
  UnavailableError,
  UnreachableError,
} from "./errors.js";
export type { EventHandler } from "./event-hub.js";
export { reasonOf, type TlsOptions } from "./http-api.js";
export type { IdInput, PartialMessage } from "./partial.js";
