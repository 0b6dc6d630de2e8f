import type { HttpRoute } from "../../sdk/contracts/http-server.js";

/** Where a request's target leads. Paths are decoded and have no trailing slash. */
export interface RoutedPath {
  readonly route: HttpRoute;
  readonly path: string;
  readonly rest: string;
}

const SLASHES = /^\/+|\/+$/g;

/**
 * Finds the route for a request target by libprocess's rules: the longest registered prefix on segment borders answers, slashes
 * at the end do not count, and the daemon's own process id (`master`, `slave(1)`, also percent-encoded) may come first.
 */
export class Router {
  private readonly routes = new Map<string, HttpRoute>();

  /** @param processId first segment that may be left out, `master` or `slave(1)` */
  constructor(private readonly processId: string) {}

  add(route: HttpRoute): void {
    const name = route.path.replace(SLASHES, "");
    if (this.routes.has(name)) throw new Error(`two routes for the path /${name}`);
    this.routes.set(name, route);
  }

  /** @param path of the request target, raw: without query */
  find(path: string): RoutedPath | undefined {
    if (path.includes("/..")) return undefined;
    const name = this.withoutProcessId(path.replace(SLASHES, ""));
    for (let end = name.length; ; end = name.lastIndexOf("/", end - 1)) {
      const route = this.routes.get(end <= 0 ? "" : name.slice(0, end));
      if (route !== undefined) return routed(route, name, Math.max(end, 0));
      if (end <= 0) return undefined;
    }
  }

  private withoutProcessId(name: string): string {
    const slash = name.indexOf("/");
    const first = slash < 0 ? name : name.slice(0, slash);
    if (decode(first) !== this.processId) return name;
    return slash < 0 ? "" : name.slice(slash + 1).replace(SLASHES, "");
  }
}

function routed(route: HttpRoute, name: string, end: number): RoutedPath | undefined {
  const rest = name.slice(end).replace(SLASHES, "");
  if (route.exact === true && rest !== "") return undefined;
  const path = decode(name);
  const decodedRest = decode(rest);
  if (path === undefined || decodedRest === undefined) return undefined;
  return { route, path: `/${path}`, rest: decodedRest };
}

/** Percent-decoding; undefined for a malformed escape. */
function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
