import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { Secret_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { DockerRegistry } from "../../support/docker-registry.js";
import {
  type BuiltImage,
  buildImage,
  buildLayer,
  dockerArchive,
  oldDockerArchive,
  pushImage,
  pushManifest,
  sha256,
  writeOciLayout,
} from "../../support/image-builder.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { tarArchive } from "../../support/tar-archive.js";
import { docker, get, outcome, StoreBench } from "./store-bench.js";

const base = buildLayer([{ name: "base", content: "base" }]);
const top = buildLayer([{ name: "top", content: "top" }]);
const RUN = { Env: ["A=b"], Cmd: ["/run"] };
const image = buildImage([base, top], RUN);

describe("where images come from", function () {
  this.timeout(60_000);
  let bench: StoreBench;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "unpacking for all owners takes root");
  });

  beforeEach(async () => {
    bench = await StoreBench.create();
  });

  afterEach(() => bench.close());

  /** The image above, whole. */
  async function expectImage(registry: string, name: string): Promise<void> {
    const found = await get(await bench.open({ registry }), name);
    expect(found.layers).to.deep.equal([base, top].map(({ diffId }) => bench.paths().layer(diffId)));
    expect(await readFile(join(found.layers[0]!, "base"), "utf8")).to.equal("base");
    expect(await readFile(join(found.layers[1]!, "top"), "utf8")).to.equal("top");
    expect(found.config).to.deep.include({ environment: { A: "b" }, command: ["/run"] });
  }

  describe("a registry", () => {
    let registry: DockerRegistry;
    let program: string;

    before(async function () {
      program = requirePart(this, "docker-registry", "docker-registry");
      registry = await DockerRegistry.start(program);
    });

    after(() => registry?.stop());

    it("gives images by tag and by digest", async () => {
      await pushImage(registry.origin, { repository: "team/app", tag: "v1", image });
      await expectImage(registry.origin, "team/app:v1");
      await expectImage(registry.origin, `team/app@${image.digest}`);
      await expectImage("https://registry-1.docker.io", `${registry.host}/team/app:v1`);
    });

    it("gives images of OCI's form", async () => {
      const oci = buildImage([base, top], RUN, "oci");
      await pushImage(registry.origin, { repository: "oci", tag: "latest", image: oci });
      await expectImage(registry.origin, "oci");
    });

    it("gives the image of a list that is for this platform", async () => {
      const other = buildImage([top], { Cmd: ["/other"] });
      await pushImage(registry.origin, { repository: "many", tag: "own", image });
      await pushImage(registry.origin, { repository: "many", tag: "other", image: other });
      const list = "application/vnd.docker.distribution.manifest.list.v2+json";
      const architecture = process.arch === "x64" ? "amd64" : process.arch;
      const entry = ({ digest, mediaType, manifest }: BuiltImage, platform: object): object => ({
        mediaType,
        digest,
        size: manifest.length,
        platform,
      });
      const push = (tag: string, manifests: readonly object[]): Promise<void> =>
        pushManifest(registry.origin, {
          repository: "many",
          tag,
          mediaType: list,
          manifest: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: list, manifests })),
        });
      await push("all", [
        entry(other, { os: "linux", architecture: "s390x" }),
        entry(image, { os: "linux", architecture }),
      ]);
      await push("none", [entry(other, { os: "linux", architecture: "mips" })]);
      await expectImage(registry.origin, "many:all");
      const store = await bench.open({ registry: registry.origin });
      expect(await outcome(store, docker("many:none"))).to.match(
        /TEPUI_IMAGE_INVALID: .*it is for linux\/mips/,
      );
    });

    it("gives images that another program has pushed", async function () {
      const skopeo = requirePart(this, "skopeo", "skopeo");
      const archive = join(bench.directory, "image.tar");
      await writeFile(archive, dockerArchive(image, "app:v1"));
      const args = ["copy", "--insecure-policy", "--dest-tls-verify=false", `docker-archive:${archive}`];
      for (const [format, name] of [
        ["v2s2", "by-skopeo"],
        ["oci", "by-skopeo-oci"],
      ] as const) {
        execFileSync(skopeo, [...args, `--format=${format}`, `docker://${registry.host}/${name}:v1`], {
          stdio: "pipe",
        });
        await expectImage(registry.origin, `${name}:v1`);
      }
    });

    it("says what it does not have", async () => {
      const store = await bench.open({ registry: registry.origin });
      expect(await outcome(store, docker("no/such:thing"))).to.match(
        /TEPUI_IMAGE_NOT_FOUND: .*no\/such:thing/,
      );
      expect(await outcome(store, docker("Not A Name"))).to.match(/TEPUI_IMAGE_INVALID: .*'Not A Name'/);
    });

    it("is shown a user and a password, the agent's or the image's own", async () => {
      const guarded = await DockerRegistry.start(program, HTPASSWD);
      try {
        const auth = Buffer.from("jane:secret").toString("base64");
        const headers = { authorization: `Basic ${auth}` };
        await pushImage(guarded.origin, { repository: "private", tag: "latest", image }, headers);
        const registry = guarded.origin;
        const bare = await bench.open({ registry });
        expect(await outcome(bare, docker("private"))).to.match(
          /TEPUI_IMAGE_PULL_FAILED: .*user and a password/,
        );
        const wrong = { data: Buffer.from(JSON.stringify({ auths: { [guarded.host]: { auth: "eDp5" } } })) };
        const right = { data: Buffer.from(JSON.stringify({ auths: { [guarded.host]: { auth } } })) };
        const config = (value: { data: Buffer }): object => ({ config: { type: Secret_Type.VALUE, value } });
        expect(await outcome(bare, docker("private", { docker: config(wrong) }))).to.match(/refuses access/);
        const reference = { config: { type: Secret_Type.REFERENCE, reference: { name: "pull" } } };
        expect(await outcome(bare, docker("private", { docker: reference }))).to.match(
          /TEPUI_SECRET_UNRESOLVED: .*no secret resolver/,
        );
        expect(await outcome(bare, docker("private", { docker: config(right) }))).to.have.property("name");
        await bare.prune({ keep: [], layersInUse: new Set() });
        const resolver = { resolve: async () => right.data };
        const resolving = await bench.open({ registry, resolver });
        expect(await outcome(resolving, docker("private", { docker: reference }))).to.have.property("name");
        await resolving.prune({ keep: [], layersInUse: new Set() });
        const plain = { credential: { principal: "jane", secret: "secret" } };
        expect(await outcome(bare, docker("private", { docker: plain }))).to.have.property("name");
        await bare.prune({ keep: [], layersInUse: new Set() });
        const credentials = new Map([[guarded.host, { username: "jane", password: "secret" }]]);
        const own = await bench.open({ registry, credentials });
        expect(await outcome(own, docker("private"))).to.have.property("name");
      } finally {
        await guarded.stop();
      }
    });
  });

  describe("a directory", () => {
    const write = async (name: string, data: Buffer): Promise<void> => {
      const path = join(bench.directory, "images", name);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, data);
    };
    const images = (): string => join(bench.directory, "images");

    it("gives what docker save has written, compressed or not", async () => {
      await write("app:v1.tar", dockerArchive(image, "app:v1"));
      await write("team/app:v2.tar", gzipSync(dockerArchive(image, "team/app:v2")));
      await write("bare.tar", dockerArchive(image, "bare:latest"));
      await expectImage(images(), "app:v1");
      await expectImage(`file://${images()}`, "team/app:v2");
      await expectImage(images(), "bare");
      await expectImage(images(), "bare:latest");
    });

    it("gives what docker save wrote before there were digests", async () => {
      await write("old:1.tar", oldDockerArchive([base, top], { repository: "old", tag: "1", run: RUN }));
      await expectImage(images(), "old:1");
    });

    it("gives archives with names that are written out, and with repeated layers as links", async () => {
      await write("app.tar", dockerArchive(image, "docker.io/library/app:latest"));
      await expectImage(images(), "app");
      const twice = buildImage([base, top, base], RUN);
      const linked = tarArchive([
        { name: "c.json", content: twice.config },
        { name: "one/layer.tar", content: base.tar },
        { name: "two/layer.tar", content: top.tar },
        { name: "three/layer.tar", type: "2", target: "../one/layer.tar" },
        {
          name: "manifest.json",
          content: JSON.stringify([
            {
              Config: "c.json",
              RepoTags: null,
              Layers: ["one/layer.tar", "two/layer.tar", "three/layer.tar"],
            },
          ]),
        },
      ]);
      await write("twice.tar", linked);
      const found = await get(await bench.open({ registry: images() }), "twice");
      // The lower one has no effect, and overlayfs does not take the same directory twice.
      expect(found.layers).to.deep.equal([top, base].map(({ diffId }) => bench.paths().layer(diffId)));
    });

    it("gives OCI layouts, alone and in archives", async function () {
      const oci = buildImage([base, top], RUN, "oci");
      await writeOciLayout(join(images(), "layout"), oci, "v3");
      await expectImage(images(), "layout:v3");
      await writeOciLayout(join(images(), "unnamed:v1"), oci);
      await expectImage(images(), "unnamed:v1");
      const whole = join(bench.directory, "whole");
      await writeOciLayout(whole, oci, "team/app:v7");
      await expectImage(whole, "team/app:v7");
      const skopeo = requirePart(this, "skopeo", "skopeo");
      // The program's own idea of colons.
      const archive = join(bench.directory, "packed");
      execFileSync(
        skopeo,
        ["copy", "--insecure-policy", `oci:${whole}:team/app:v7`, `oci-archive:${archive}:v1`],
        {
          stdio: "pipe",
        },
      );
      await rename(archive, join(images(), "packed:v1.tar"));
      await expectImage(images(), "packed:v1");
    });

    it("tells images of one tag apart in what docker save writes from version 25 on", async () => {
      const other = buildImage([top], { Cmd: ["/other"] });
      const entry = ({ digest, mediaType, manifest }: BuiltImage, name: string): object => ({
        mediaType,
        digest,
        size: manifest.length,
        annotations: {
          "io.containerd.image.name": `docker.io/${name}:latest`,
          "org.opencontainers.image.ref.name": "latest",
        },
      });
      const layout = join(images(), "both");
      await writeOciLayout(layout, other);
      await writeOciLayout(layout, image);
      const manifests = [entry(other, "team/other"), entry(image, "library/app")];
      await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
      execFileSync("tar", ["-C", layout, "-cf", join(images(), "app.tar"), "."]);
      await expectImage(images(), "app");
      await rename(join(images(), "app.tar"), join(images(), "third.tar"));
      const store = await bench.open({ registry: images() });
      expect(await outcome(store, docker("third"))).to.match(/TEPUI_IMAGE_NOT_FOUND: .*no image 'third'/);
    });

    it("says what is missing or wrong", async () => {
      await write("other.tar", dockerArchive(image, "something:else"));
      await write("empty.tar", tarArchive([{ name: "nothing" }]));
      await write("damaged.tar", Buffer.alloc(2000, "x"));
      const swapped = buildImage([{ ...base, diffId: top.diffId }], RUN);
      await write("swapped.tar", dockerArchive(swapped, "swapped:latest"));
      const layout = join(images(), "broken");
      await writeOciLayout(layout, buildImage([base], RUN, "oci"), "latest");
      await writeFile(
        join(layout, "blobs/sha256", base.digest.slice(7)),
        Buffer.alloc(base.blob.length, "x"),
      );
      const store = await bench.open({ registry: images() });
      for (const [name, reason] of [
        ["missing:1", /TEPUI_IMAGE_NOT_FOUND: .*missing:1.tar/],
        ["other", /TEPUI_IMAGE_NOT_FOUND: .*it has something:else/],
        ["empty", /TEPUI_IMAGE_INVALID: .*holds no image/],
        ["damaged", /TEPUI_IMAGE_INVALID: .*no tar archive/],
        ["swapped", /TEPUI_IMAGE_INVALID: .*not what its image says/],
        ["broken", /TEPUI_IMAGE_INVALID: .*damaged/],
        [`app@${sha256("x")}`, /TEPUI_IMAGE_NOT_FOUND/],
      ] as const) {
        expect(await outcome(store, docker(name)), name).to.match(reason);
      }
    });
  });
});

/** `jane:secret`, in bcrypt. */
const HTPASSWD = "jane:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
