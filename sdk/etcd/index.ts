export {
  EtcdClient,
  type EtcdClientOptions,
  type EtcdCompare,
  type EtcdOperation,
  type EtcdTlsFiles,
  type EtcdTransaction,
  type EtcdValue,
} from "./client.js";
export { EtcdError, type EtcdErrorCode, isEtcdError } from "./errors.js";
export { describeEtcdUrl, type EtcdUrl, isEtcdUrl, parseEtcdUrl } from "./url.js";
