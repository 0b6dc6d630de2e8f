import { TepuiError, type TepuiErrorOptions } from "../errors/tepui-error.js";

/** No connection, or one that broke before the answer came. Trying again later, or elsewhere, may help. */
export class UnreachableError extends TepuiError {
  constructor(detail: string, options: Omit<TepuiErrorOptions, "detail"> = {}) {
    super("TEPUI_CLIENT_UNREACHABLE", { detail, ...options });
  }
}

/** The daemon answered that it cannot serve now: recovering, overloaded, or no leader is known. */
export class UnavailableError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_CLIENT_UNAVAILABLE", { detail });
  }
}

/** The asked master does not lead. */
export class NotLeaderError extends TepuiError {
  /** `host:port` of the leader, as the asked master knows it; undefined when it knows none. */
  constructor(readonly leader: string | undefined) {
    super("TEPUI_CLIENT_NOT_LEADER", {
      detail: leader === undefined ? "no leader is known" : `${leader} leads`,
    });
  }
}

/** The call itself is wrong; sending it again gives the same answer. */
export class CallRefusedError extends TepuiError {
  constructor(
    detail: string,
    /** HTTP status, also where the answer came over gRPC. */
    readonly status: number,
  ) {
    super("TEPUI_CLIENT_REFUSED", { detail });
  }
}

/** Credentials are missing or wrong. */
export class AuthenticationError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_CLIENT_UNAUTHENTICATED", { detail });
  }
}

/** The credentials do not allow the call, or the sender is not (or no longer) subscribed. */
export class ForbiddenError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_CLIENT_FORBIDDEN", { detail });
  }
}

/** The peer sent something that is not the protocol asked for. */
export class ProtocolError extends TepuiError {
  constructor(detail: string, options: Omit<TepuiErrorOptions, "detail"> = {}) {
    super("TEPUI_CLIENT_PROTOCOL", { detail, ...options });
  }
}

/** A call was made while there is no subscription: before the first one, between two, or after the end. */
export class NotSubscribedError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_CLIENT_NOT_SUBSCRIBED", { detail });
  }
}

/** An address that cannot be used. */
export class AddressError extends TepuiError {
  constructor(detail: string) {
    super("TEPUI_CLIENT_ADDRESS_INVALID", { detail });
  }
}
