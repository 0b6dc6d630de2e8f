import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { describeEtcdUrl, EtcdClient, parseEtcdUrl } from "../../sdk/etcd/index.js";
import { definePlugin, durationText, reading, z } from "../../sdk/plugin/index.js";
import {
  REGISTRY_NODE,
  RegistryMetrics,
  registryTimeouts,
  SharedRegistry,
} from "../../sdk/registry/index.js";
import { EtcdStore } from "./etcd-store.js";
import { firstContact } from "./first-contact.js";

const pemFile = (what: string) =>
  z.string().min(1).optional().describe(`File with ${what}, in PEM, for etcds:// URLs.`);

export default definePlugin({
  name: "etcd-registry",
  version: "1.0.0",
  description: "Keeps the durable facts of several masters in etcd (--registry=etcd://host:port,.../path)",
  targets: ["master"],
  provides: [Registry],
  requires: { metrics: Metrics },
  config: z.strictObject({
    registry: z.string().transform(reading(parseEtcdUrl)).meta({
      secret: true,
      description:
        "etcd://[user:password@]host:port[,host:port...]/path, or etcds:// for TLS; several masters share the path.",
    }),
    ca_file: pemFile("the certificates that sign those of the servers"),
    cert_file: pemFile("this master's certificate"),
    key_file: pemFile("the key of this master's certificate"),
    connect_timeout: durationText("1mins").describe(
      "How long the start waits for an etcd that serves, before the daemon ends; 0secs: for ever.",
    ),
    ...registryTimeouts,
  }),
  setup(ctx, { metrics }) {
    const { registry: url, connect_timeout, registry_fetch_timeout, registry_store_timeout } = ctx.config;
    const { clock, random, logger, signal } = ctx;
    const { ca_file, cert_file, key_file } = ctx.config;
    const path = `${url.path}/${REGISTRY_NODE}`;
    const shown = describeEtcdUrl({ ...url, path });
    const tls = { ca: ca_file, cert: cert_file, key: key_file };
    const client = new EtcdClient({ ...url, tls, clock });
    const store = () => new EtcdStore({ client, path, clock });
    const registryMetrics = new RegistryMetrics(metrics);
    const registry = new SharedRegistry({
      store,
      engine: "etcd",
      url: shown,
      clock,
      random,
      logger,
      metrics: registryMetrics,
      fetchTimeout: registry_fetch_timeout,
      storeTimeout: registry_store_timeout,
    });
    registryMetrics.showLog({ replicas: url.servers.length, recovered: () => registry.recovered });
    ctx.bind(Registry, registry);
    return {
      start: async () => {
        await firstContact({ store: store(), url: shown, limit: connect_timeout, clock, signal });
        logger.info({ registry: shown }, "the registry is kept in etcd");
      },
      stop: async () => {
        await registry.close();
        await client.close();
      },
    };
  },
});
