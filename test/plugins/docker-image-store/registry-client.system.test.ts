import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Descriptor } from "../../../plugins/docker-image-store/manifest.js";
import { RegistryClient } from "../../../plugins/docker-image-store/registry/client.js";
import type { Credentials } from "../../../plugins/docker-image-store/registry/docker-config.js";
import { undiciRequests } from "../../../plugins/docker-image-store/registry/http.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { buildImage, buildLayer, sha256 } from "../../support/image-builder.js";
import { ScriptedRegistry } from "../../support/scripted-registry.js";

/** Pauses are over at once. */
class HastyClock extends SystemClock {
  readonly pauses: number[] = [];

  override setTimeout(fn: () => void, ms: number): ReturnType<Clock["setTimeout"]> {
    this.pauses.push(ms);
    return super.setTimeout(fn, 0);
  }
}

/** Somebody sets its wall clock. */
class JumpingClock extends SystemClock {
  /** Milliseconds. */
  offset = 0;

  override now(): number {
    return super.now() + this.offset;
  }
}

describe("the client of registries", () => {
  const content = Buffer.alloc(300_000, "layer");
  const image = buildImage([buildLayer([{ name: "a", content }], (tar) => tar)]);
  const blob = image.layers[0]!.blob;
  const descriptor: Descriptor = { mediaType: undefined, digest: sha256(blob), size: blob.length };
  const { signal } = new AbortController();
  let registry: ScriptedRegistry;
  let directory: string;
  let clock: HastyClock;
  let close: (() => Promise<void>)[];

  beforeEach(async () => {
    registry = new ScriptedRegistry();
    await registry.start();
    registry.add("team/app", "v1", image);
    directory = await mkdtemp(join(tmpdir(), "tepui-client-"));
    clock = new HastyClock();
    close = [];
  });

  afterEach(async () => {
    for (const one of close) await one();
    await registry.stop();
    await rm(directory, { recursive: true });
  });

  async function client(
    options: { credentials?: Credentials; stallTimeout?: number; clock?: Clock } = {},
  ): Promise<RegistryClient> {
    const { request, close: end } = await undiciRequests(options.stallTimeout ?? 5000);
    close.push(end);
    return new RegistryClient({
      endpoint: { origin: `http://${registry.host}`, host: registry.host, repository: "team/app" },
      credentials: options.credentials,
      request,
      clock: options.clock ?? clock,
      random: new SeededRandom(1),
    });
  }

  async function download(options: Parameters<typeof client>[0] = {}): Promise<Buffer> {
    const file = join(directory, "blob");
    await (await client(options)).download(descriptor, file, signal);
    return readFile(file);
  }

  const outcome = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => "done",
      (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
    );

  it("reads manifests by tag and by digest, and checks the digest", async () => {
    const registryClient = await client();
    expect((await registryClient.manifest("v1", signal)).digest).to.equal(image.digest);
    expect((await registryClient.manifest(image.digest, signal)).text.equals(image.manifest)).to.equal(true);
    const other = `sha256:${"0".repeat(64)}`;
    registry.put(`/v2/team/app/manifests/${other}`, image.manifest);
    expect(await outcome(registryClient.manifest(other, signal))).to.match(/TEPUI_IMAGE_INVALID: .*damaged/);
  });

  it("is asked through the proxy of the agent's environment", async () => {
    const before = process.env.http_proxy;
    process.env.http_proxy = `http://${registry.host}`;
    try {
      const { request, close: end } = await undiciRequests(5000);
      close.push(end);
      const endpoint = { origin: "http://r.invalid", host: "r.invalid", repository: "team/app" };
      const random = new SeededRandom(1);
      const elsewhere = new RegistryClient({ endpoint, credentials: undefined, request, clock, random });
      expect(await outcome(elsewhere.manifest("v1", signal))).to.match(/TEPUI_IMAGE_NOT_FOUND/);
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
    expect(registry.seen[0]!.path).to.equal("http://r.invalid/v2/team/app/manifests/v1");
  });

  it("says what does not exist", async () => {
    expect(await outcome((await client()).manifest("none", signal))).to.match(
      /TEPUI_IMAGE_NOT_FOUND: .*team\/app:none/,
    );
    expect(registry.seen.length).to.equal(1);
  });

  it("goes on where a connection broke, as often as it takes", async () => {
    let breaks = 0;
    registry.misbehave = (request, response) => {
      if (!request.url!.includes("/blobs/") || breaks === 12) return false;
      const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
      response.writeHead(from > 0 ? 206 : 200, {
        "content-length": blob.length - from,
        ...(from > 0 && { "content-range": `bytes ${from}-${blob.length - 1}/${blob.length}` }),
      });
      breaks++;
      response.write(blob.subarray(from, from + 20_000), () => response.socket!.destroy());
      return true;
    };
    expect((await download()).equals(blob)).to.equal(true);
    const ranges = registry.asked("/blobs/").map(({ range }) => range);
    expect(ranges.length).to.equal(13);
    expect(ranges[0]).to.equal(undefined);
    expect(ranges.at(-1)).to.equal("bytes=240000-");
  });

  it("begins anew where the registry cannot go on in the middle", async () => {
    let first = true;
    registry.misbehave = (request, response) => {
      if (!request.url!.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": blob.length });
      if (first) response.write(blob.subarray(0, 1000), () => response.socket!.destroy());
      else response.end(blob);
      first = false;
      return true;
    };
    expect((await download()).equals(blob)).to.equal(true);
    expect(registry.asked("/blobs/").map(({ range }) => range)).to.deep.equal([undefined, "bytes=1000-"]);
  });

  for (const [how, status, range] of [
    ["goes on at another place than it was asked to", 206, `bytes 0-${blob.length - 1}/${blob.length}`],
    ["refuses to go on", 416, `bytes */${blob.length}`],
  ] as const) {
    it(`begins anew where the registry ${how}`, async () => {
      let first = true;
      registry.misbehave = (request, response) => {
        if (!request.url!.includes("/blobs/")) return false;
        if (first) {
          first = false;
          response.writeHead(200, { "content-length": blob.length });
          response.write(blob.subarray(0, 1000), () => response.socket!.destroy());
          return true;
        }
        if (request.headers.range === undefined) return false;
        response.writeHead(status, { "content-range": range }).end(status === 206 ? blob : undefined);
        return true;
      };
      expect((await download()).equals(blob)).to.equal(true);
      expect(registry.asked("/blobs/").map(({ range: asked }) => asked)).to.deep.equal([
        undefined,
        "bytes=1000-",
        undefined,
      ]);
    });
  }

  it("asks again when nothing comes any more", async () => {
    let first = true;
    registry.misbehave = (request, response) => {
      if (!request.url!.includes("/blobs/") || !first) return false;
      first = false;
      response.writeHead(200, { "content-length": blob.length });
      response.write(blob.subarray(0, 5000));
      return true;
    };
    expect((await download({ stallTimeout: 300 })).equals(blob)).to.equal(true);
    expect(registry.asked("/blobs/").map(({ range }) => range)).to.deep.equal([undefined, "bytes=5000-"]);
  });

  it("gives up in the end when nothing ever comes", async () => {
    registry.misbehave = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    expect(await outcome(download())).to.match(/TEPUI_IMAGE_PULL_FAILED: .*status 503 \(5 attempts\)/);
    expect(registry.seen.length).to.equal(5);
    expect(clock.pauses.length).to.equal(4);
    for (const [index, pause] of clock.pauses.entries()) {
      expect(pause).to.be.within(125 * 2 ** index, 375 * 2 ** index);
    }
  });

  it("waits as long as the registry says, but not for ever", async () => {
    const date = (ms: number): string => new Date(clock.now() + ms).toUTCString();
    const answers = ["7", "30", date(3_600_000), date(-60_000), "soon"];
    let times = 0;
    registry.misbehave = (_request, response) => {
      const after = answers[times++];
      if (after === undefined) return false;
      response.writeHead(429, { "retry-after": after }).end();
      return true;
    };
    expect(await outcome(download())).to.match(/TEPUI_IMAGE_PULL_FAILED: .*status 429 \(5 attempts\)/);
    expect((await download()).equals(blob)).to.equal(true);
    expect(clock.pauses.slice(0, 3)).to.deep.equal([7000, 30_000, 60_000]);
    expect(clock.pauses).to.have.length(4);
    expect(clock.pauses[3]).to.be.below(10_000);
  });

  it("names the reason when nobody answers", async () => {
    await registry.stop();
    expect(await outcome(download())).to.match(/TEPUI_IMAGE_PULL_FAILED: .*ECONNREFUSED/);
  });

  it("refuses content that is not what its digest says, is too long or too short", async () => {
    const other = Buffer.from(blob);
    other[17] = other[17]! ^ 1;
    registry.put(`/v2/team/app/blobs/${descriptor.digest}`, other);
    expect(await outcome(download())).to.match(/TEPUI_IMAGE_INVALID: .*damaged/);
    registry.put(`/v2/team/app/blobs/${descriptor.digest}`, Buffer.concat([blob, blob]));
    expect(await outcome(download())).to.match(/TEPUI_IMAGE_INVALID: .*larger than its manifest says/);
    registry.put(`/v2/team/app/blobs/${descriptor.digest}`, blob.subarray(0, 10));
    expect(await outcome(download())).to.match(/ended after 10 of/);
  });

  it("asks again for a small blob that came in part", async () => {
    let first = true;
    registry.misbehave = (_request, response) => {
      if (!first) return false;
      first = false;
      // Of no announced length.
      response.writeHead(200).end(image.config.subarray(0, 5));
      return true;
    };
    const config = { mediaType: undefined, digest: sha256(image.config), size: image.config.length };
    const data = await (await client()).blob(config, 1_000_000, signal);
    expect(data.equals(image.config)).to.equal(true);
    expect(registry.seen.length).to.equal(2);
  });

  it("stops at once when it is told to", async () => {
    registry.misbehave = () => true;
    const abort = new AbortController();
    const going = (await client()).manifest("v1", abort.signal);
    abort.abort(new Error("enough"));
    expect(await going.catch((error: Error) => error.message)).to.equal("enough");
  });

  describe("where credentials are asked for", () => {
    const user = { username: "jane", password: "s3:cret" };
    const login = `Basic ${Buffer.from("jane:s3:cret").toString("base64")}`;

    /** Everything needs this header; without, the answer is this challenge. */
    function guard(needed: () => string, challenge: () => string): void {
      registry.misbehave = (request, response) => {
        if (request.headers.authorization === needed()) return false;
        response.writeHead(401, { "www-authenticate": challenge() }).end("{}");
        return true;
      };
    }

    it("gives a user and a password", async () => {
      guard(
        () => login,
        () => 'Basic realm="here"',
      );
      expect((await download({ credentials: user })).equals(blob)).to.equal(true);
      expect(await outcome(download())).to.match(/TEPUI_IMAGE_PULL_FAILED: .*--docker_config has none/);
    });

    it("does not try wrong ones for ever, and does not show them", async () => {
      guard(
        () => "never",
        () => 'Basic realm="here"',
      );
      const text = await outcome(download({ credentials: user }));
      expect(text)
        .to.match(/TEPUI_IMAGE_PULL_FAILED: .*refuses access .*status 401/)
        .and.not.match(/s3:cret/);
      expect(registry.seen.length).to.equal(2);
    });

    it("gets a token where the registry says, for what it says", async () => {
      const tokens: string[] = [];
      const service = await registry.listen((request, response) => {
        tokens.push(`${request.method} ${request.url} ${request.headers.authorization}`);
        response.end(JSON.stringify({ token: `t${tokens.length}`, expires_in: 300 }));
      });
      guard(
        () => "Bearer t1",
        () =>
          `Bearer realm="http://${service}/token",service="reg, \\"quoted\\"",scope="repository:team/app:pull"`,
      );
      const registryClient = await client({ credentials: user });
      await registryClient.manifest("v1", signal);
      await registryClient.download(descriptor, join(directory, "blob"), signal);
      expect(tokens).to.deep.equal([
        `GET /token?service=reg%2C+%22quoted%22&scope=repository%3Ateam%2Fapp%3Apull ${login}`,
      ]);
    });

    it("asks for each of several scopes by itself, and for the repository where none is named", async () => {
      const asked: string[][] = [];
      const service = await registry.listen((request, response) => {
        asked.push(new URL(request.url!, "http://service").searchParams.getAll("scope"));
        response.end(JSON.stringify({ token: "t" }));
      });
      let scope = "repository:team/app:pull repository:team/base:pull";
      guard(
        () => "Bearer t",
        () => `Bearer realm="http://${service}/token",scope="${scope}"`,
      );
      await download();
      scope = "";
      await download();
      expect(asked).to.deep.equal([
        ["repository:team/app:pull", "repository:team/base:pull"],
        ["repository:team/app:pull"],
      ]);
    });

    it("keeps a token for as long as it lives, whatever is done to the wall clock", async () => {
      let given = 0;
      const service = await registry.listen((_request, response) => {
        response.end(JSON.stringify({ token: `t${++given}`, expires_in: 300 }));
      });
      guard(
        () => "Bearer t1",
        () => `Bearer realm="http://${service}/token"`,
      );
      const jumping = new JumpingClock();
      const registryClient = await client({ clock: jumping });
      await registryClient.manifest("v1", signal);
      jumping.offset = 3_600_000;
      await registryClient.manifest("v1", signal);
      expect(given).to.equal(1);
    });

    it("gets another token when one has expired", async () => {
      let given = 0;
      const service = await registry.listen((_request, response) => {
        response.end(JSON.stringify({ access_token: `t${++given}` }));
      });
      let needed = "Bearer t1";
      guard(
        () => needed,
        () => `Bearer realm="http://${service}/token"`,
      );
      const registryClient = await client();
      await registryClient.manifest("v1", signal);
      needed = "Bearer t2";
      await registryClient.manifest("v1", signal);
      expect(given).to.equal(2);
    });

    it("asks for one token for all who wait for it", async () => {
      let given = 0;
      const service = await registry.listen((_request, response) => {
        given++;
        response.end(JSON.stringify({ token: "t" }));
      });
      guard(
        () => "Bearer t",
        () => `Bearer realm="http://${service}/token"`,
      );
      const registryClient = await client();
      await Promise.all(Array.from({ length: 5 }, () => registryClient.manifest("v1", signal)));
      expect(given).to.equal(1);
    });

    it("exchanges an identity token", async () => {
      let body = "";
      const service = await registry.listen((request, response) => {
        request.on("data", (part) => {
          body += part;
        });
        request.on("end", () => response.end(JSON.stringify({ access_token: "t" })));
      });
      guard(
        () => "Bearer t",
        () => `Bearer realm="http://${service}/token",service="reg"`,
      );
      await download({ credentials: { identityToken: "secret" } });
      const fields = new URLSearchParams(body);
      expect(Object.fromEntries(fields)).to.include({
        grant_type: "refresh_token",
        refresh_token: "secret",
        service: "reg",
        scope: "repository:team/app:pull",
      });
    });

    it("sends a registry token as it is", async () => {
      guard(
        () => "Bearer given",
        () => "Bearer",
      );
      expect((await download({ credentials: { registryToken: "given" } })).equals(blob)).to.equal(true);
    });

    it("says when the token service refuses, or makes no sense", async () => {
      const service = await registry.listen((request, response) => {
        if (request.url!.startsWith("/refuse")) response.writeHead(403).end();
        else response.end(request.url!.startsWith("/empty") ? "{}" : "no JSON");
      });
      for (const [path, pattern] of [
        ["refuse", /PULL_FAILED: .*refuses a request without credentials, with status 403/],
        ["empty", /PULL_FAILED: .*gives no token/],
        ["text", /IMAGE_INVALID: .*not JSON/],
      ] as const) {
        guard(
          () => "never",
          () => `Bearer realm="http://${service}/${path}"`,
        );
        expect(await outcome(download())).to.match(pattern);
      }
      guard(
        () => "never",
        () => 'Negotiate, Bearer realm="file:///etc/passwd"',
      );
      expect(await outcome(download())).to.match(/names no token service/);
    });

    it("shows them to nobody that it is sent on to", async () => {
      let shown: string | undefined = "not asked";
      const elsewhere = await registry.listen((request, response) => {
        shown = request.headers.authorization;
        response.end(blob);
      });
      registry.misbehave = (request, response) => {
        if (request.headers.authorization !== login) {
          response.writeHead(401, { "www-authenticate": "Basic" }).end();
        } else response.writeHead(307, { location: `http://${elsewhere}/bucket?signed=yes` }).end();
        return true;
      };
      expect((await download({ credentials: user })).equals(blob)).to.equal(true);
      expect(shown).to.equal(undefined);
    });

    it("answers no challenge of whom it is sent on to", async () => {
      const reached: string[] = [];
      const elsewhere = await registry.listen((request, response) => {
        reached.push(`${request.url} ${request.headers.authorization}`);
        const challenge = `Bearer realm="http://${request.headers.host}/token", Basic realm="mine"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      });
      registry.misbehave = (_request, response) => {
        response.writeHead(307, { location: `http://${elsewhere}/bucket` }).end();
        return true;
      };
      expect(await outcome(download({ credentials: user }))).to.match(/refuses access .*status 401/);
      expect(reached).to.deep.equal(["/bucket undefined"]);
    });
  });

  it("follows redirects on the same registry, and not for ever", async () => {
    let hops = 0;
    registry.misbehave = (request, response) => {
      if (!request.url!.includes("/blobs/") || hops++ === 3) return false;
      response.writeHead(302, { location: request.url! }).end();
      return true;
    };
    expect((await download()).equals(blob)).to.equal(true);
    registry.misbehave = (request, response) => {
      response.writeHead(302, { location: request.url! }).end();
      return true;
    };
    expect(await outcome(download())).to.match(/redirects more than 5 times/);
  });

  it("refuses blobs for memory that are larger than the limit", async () => {
    expect(await outcome((await client()).blob(descriptor, 1000, signal))).to.match(
      /IMAGE_INVALID: .*more than 1000/,
    );
    expect(registry.seen.length).to.equal(0);
  });
});
