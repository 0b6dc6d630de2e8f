import type { Dispatcher } from "undici";

export interface OutboundOptions {
  /** Milliseconds without a byte after which a request fails. */
  readonly stallTimeout: number;
  /** To one server at once; absent: as many as there are requests. */
  readonly connections?: number;
}

/** Names of this host: what is asked of it is never asked of a proxy. */
const THIS_HOST = ["localhost", "127.0.0.1", "[::1]"];

/**
 * What requests to servers elsewhere are sent by: through the proxies that the environment names, as by curl, which Mesos uses.
 * `http_proxy` and `https_proxy`, or both as `all_proxy`, are `[http://][user:password@]host:port`. `no_proxy` lists hosts and domains
 * that are asked directly. In capitals, they count where the small ones are missing.
 *
 * To be destroyed by the caller. Requests should give both timeouts, too: on the way through a proxy undici forgets those of the agent.
 * Rejects with a TypeError for a proxy that is no URL.
 */
export async function outboundAgent(
  { stallTimeout, connections }: OutboundOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Dispatcher> {
  // A tenth of what an agent's start would cost, and many agents fetch nothing.
  const { Agent, Dispatcher, EnvHttpProxyAgent } = await import("undici");
  const options = {
    headersTimeout: stallTimeout,
    bodyTimeout: stallTimeout,
    connect: { timeout: stallTimeout },
    ...(connections !== undefined && { connections }),
  };
  const named = (name: string): string | undefined =>
    environment[name] || environment[name.toUpperCase()] || undefined;
  const forAll = named("all_proxy");
  const [http, https] = [named("http_proxy") ?? forAll, named("https_proxy") ?? forAll];
  const exceptions = named("no_proxy")?.trim() ?? "";
  if ((http ?? https) === undefined || exceptions === "*") return new Agent(options);
  const proxied = new EnvHttpProxyAgent({
    ...options,
    // Absent ones it would look up by itself.
    httpProxy: http === undefined ? "" : urlOf(http),
    httpsProxy: https === undefined ? "" : urlOf(https),
    noProxy: [exceptions, ...THIS_HOST].join(","),
    // Proxies let few ports be connected to, and ask for http by themselves.
    proxyTunnel: false,
  });
  if (https !== undefined) return proxied;
  // The proxy for http would be undici's for https, too.
  const direct = new Agent(options);
  const each = async (work: (agent: Dispatcher) => Promise<void>): Promise<void> => {
    await Promise.all([proxied, direct].map(work));
  };
  return new (class extends Dispatcher {
    override dispatch(...request: Parameters<Dispatcher["dispatch"]>): boolean {
      const secure = String(request[0].origin).startsWith("https:");
      return (secure ? direct : proxied).dispatch(...request);
    }
    override close = () => each((agent) => agent.close());
    override destroy = () => each((agent) => agent.destroy());
  })();
}

const urlOf = (proxy: string): string => new URL(proxy.includes("://") ? proxy : `http://${proxy}`).href;
