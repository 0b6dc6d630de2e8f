import { expect } from "chai";
import fc from "fast-check";
import { parseConfig } from "../../../plugins/docker-image-store/image-config.js";
import { type ImageIndex, parseManifest } from "../../../plugins/docker-image-store/manifest.js";
import { selectManifest } from "../../../plugins/docker-image-store/platform.js";
import { parseChallenges } from "../../../plugins/docker-image-store/registry/challenge.js";
import { readDockerConfig } from "../../../plugins/docker-image-store/registry/docker-config.js";
import { sourcePlace } from "../../../plugins/docker-image-store/source/source-of.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { buildImage, buildLayer } from "../../support/image-builder.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe("what registries and builders write", () => {
  describe("manifests", () => {
    it("are read in Docker's and OCI's form", () => {
      for (const form of ["docker", "oci"] as const) {
        const image = buildImage([buildLayer([{ name: "a" }])], {}, form);
        const manifest = parseManifest(image.manifest, "it");
        expect(manifest).to.have.property("kind", "image");
        expect(manifest).to.have.nested.property("layers[0].digest", image.layers[0]!.digest);
      }
    });

    it("are refused where they are of the old form, or none", () => {
      const cases: readonly (readonly [Buffer, RegExp])[] = [
        [json({ schemaVersion: 1, fsLayers: [], history: [] }), /schema 1, which registries gave up/],
        [json({ schemaVersion: 3 }), /no schemaVersion 2/],
        [json({ schemaVersion: 2 }), /malformed: 'config/],
        [json({ schemaVersion: 2, config: { digest: "x", size: 1 }, layers: [] }), /'config.digest'/],
        [json({ schemaVersion: 2, config: { digest: DIGEST, size: -1 }, layers: [] }), /'config.size'/],
        [json({ schemaVersion: 2, manifests: [{ digest: "../../etc" }] }), /'manifests.0/],
        [json([]), /not a JSON object|no schemaVersion/],
        [Buffer.from("<html>"), /not JSON/],
        [json(null), /not a JSON object/],
      ];
      for (const [text, reason] of cases) {
        expect(() => parseManifest(text, "it"), text.toString()).to.throw(reason);
      }
    });

    it("never make the reader crash", () => {
      fc.assert(
        fc.property(fc.json(), (text) => {
          for (const read of [parseManifest, parseConfig]) {
            try {
              read(Buffer.from(text), "it");
            } catch (error) {
              expect(isTepuiError(error), String(error)).to.equal(true);
            }
          }
        }),
      );
    });

    const index = (
      ...platforms: readonly (readonly [string, string, string?] | undefined)[]
    ): ImageIndex => ({
      kind: "index",
      manifests: platforms.map((platform, at) => ({
        mediaType: undefined,
        digest: `sha256:${String(at).repeat(64)}`,
        size: 1,
        refName: undefined,
        imageName: undefined,
        platform: platform && { os: platform[0], architecture: platform[1], variant: platform[2] },
      })),
    });
    const chosen = (of: ImageIndex, architecture: string): number =>
      Number(selectManifest(of, { os: "linux", architecture }, "it").digest[7]);

    it("are chosen by platform", () => {
      const many = index(
        ["windows", "amd64"],
        ["linux", "amd64", "v3"],
        ["linux", "amd64"],
        ["linux", "arm", "v6"],
        ["linux", "arm", "v7"],
        ["linux", "arm64", "v8"],
        ["unknown", "unknown"],
      );
      expect([chosen(many, "amd64"), chosen(many, "arm"), chosen(many, "arm64")]).to.deep.equal([2, 4, 5]);
      expect(chosen(index(["linux", "arm64"]), "arm64")).to.equal(0);
      expect(chosen(index(undefined), "amd64")).to.equal(0);
      expect(() => chosen(many, "s390x")).to.throw(
        /not there for linux\/s390x; it is for windows\/amd64, linux\/amd64\/v3/,
      );
      expect(() => chosen(index(), "amd64")).to.throw(/for no platform/);
    });
  });

  describe("configurations", () => {
    it("give environment, words, directory, user, labels and signal", () => {
      const { config, diffIds } = parseConfig(
        json({
          os: "linux",
          config: {
            Env: ["PATH=/bin", "EMPTY=", "TWO=a=b", "no variable", "=x"],
            Entrypoint: ["/init", "-v"],
            Cmd: "run",
            WorkingDir: "/srv",
            User: "1000:1000",
            Labels: { a: "b" },
            StopSignal: "SIGINT",
          },
          rootfs: { type: "layers", diff_ids: [DIGEST] },
        }),
        "it",
      );
      expect(config).to.deep.equal({
        environment: { PATH: "/bin", EMPTY: "", TWO: "a=b" },
        entrypoint: ["/init", "-v"],
        command: ["run"],
        workingDirectory: "/srv",
        user: "1000:1000",
        labels: { a: "b" },
        stopSignal: "SIGINT",
      });
      expect(diffIds).to.deep.equal([DIGEST]);
    });

    it("may leave everything out, or say null or nothing", () => {
      const empty = {
        environment: {},
        entrypoint: [],
        command: [],
        workingDirectory: undefined,
        user: undefined,
        labels: {},
        stopSignal: undefined,
      };
      for (const config of [
        undefined,
        null,
        {},
        { Env: null, Entrypoint: null, Cmd: null, WorkingDir: "", User: "", Labels: null },
      ]) {
        expect(parseConfig(json({ config }), "it").config).to.deep.equal(empty);
      }
    });

    it("are refused where they are malformed", () => {
      expect(() => parseConfig(json({ config: { Env: [1] } }), "it")).to.throw(/'config.Env/);
      expect(() => parseConfig(json({ rootfs: { diff_ids: ["x"] } }), "it")).to.throw(/layer 'x'/);
      expect(() => parseConfig(json({ rootfs: { diff_ids: ["sha256:../../x"] } }), "it")).to.throw(/layer/);
    });
  });

  describe("credentials", () => {
    const auth = Buffer.from("jane:pass:word").toString("base64");

    it("are found by the registry's host, however it is written", () => {
      const table = readDockerConfig(
        {
          auths: {
            "https://index.docker.io/v1/": { auth },
            "quay.io": { username: "u", password: "p" },
            "http://reg.lan:5000/v2/": { identitytoken: "id" },
            "other.io": { registrytoken: "tok" },
            "helper.io": {},
          },
          HttpHeaders: { a: "b" },
          credsStore: "desktop",
        },
        "it",
      );
      expect(Object.fromEntries(table)).to.deep.equal({
        "registry-1.docker.io": { username: "jane", password: "pass:word" },
        "quay.io": { username: "u", password: "p" },
        "reg.lan:5000": { identityToken: "id" },
        "other.io": { registryToken: "tok" },
      });
    });

    it("are read in the form of .dockercfg too", () => {
      expect(readDockerConfig({ "a.io": { auth, email: "x" } }, "it").get("a.io")).to.deep.equal({
        username: "jane",
        password: "pass:word",
      });
      expect(readDockerConfig(undefined, "it").size).to.equal(0);
    });

    it("are refused where they are malformed, without being shown", () => {
      for (const config of [
        [],
        "x",
        { auths: [] },
        { auths: { "a.io": "secret" } },
        { auths: { "a.io": { auth: Buffer.from("secret").toString("base64") } } },
        { auths: { "a.io": { auth: 7 } } },
      ]) {
        try {
          readDockerConfig(config, "--docker_config");
          expect.fail(JSON.stringify(config));
        } catch (error) {
          expect(String(error))
            .to.match(/--docker_config: /)
            .and.not.match(/secret/);
        }
      }
    });
  });

  it("challenges are taken apart", () => {
    const plain = (header: string): unknown =>
      parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
    expect(
      plain('Bearer realm="https://a/b?c=d,e",service="s",scope="repository:x:pull,push"'),
    ).to.deep.equal([
      ["bearer", { realm: "https://a/b?c=d,e", service: "s", scope: "repository:x:pull,push" }],
    ]);
    expect(plain('Basic realm=here, BEARER Realm="x\\"y" , other=1')).to.deep.equal([
      ["basic", { realm: "here" }],
      ["bearer", { realm: 'x"y', other: "1" }],
    ]);
    expect(plain("Negotiate, Basic")).to.deep.equal([
      ["negotiate", {}],
      ["basic", {}],
    ]);
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
  });

  it("places of images are registries or directories", () => {
    expect(sourcePlace("https://registry-1.docker.io")).to.have.nested.property(
      "url.host",
      "registry-1.docker.io",
    );
    expect(sourcePlace("http://localhost:5000/")).to.have.property("kind", "registry");
    expect(sourcePlace("/srv/images")).to.deep.equal({ kind: "directory", path: "/srv/images" });
    expect(sourcePlace("file:///srv/my%20images")).to.deep.equal({
      kind: "directory",
      path: "/srv/my images",
    });
    for (const [text, reason] of [
      ["hdfs://name/dir", /Hadoop/],
      ["registry.io", /no URL and no absolute path/],
      ["ftp://a", /neither/],
      ["https://a/b", /scheme, host and port only/],
      ["https://u:p@a", /scheme, host and port only/],
      ["file://host/dir", /another host/],
    ] as const) {
      expect(() => sourcePlace(text), text).to.throw(reason);
    }
  });
});
