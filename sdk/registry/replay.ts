import { applyOperation } from "./apply-operation.js";
import { decodeRecords, type LogRecord } from "./record.js";
import { emptyFacts, factsOf, type RegistryFacts } from "./registry-facts.js";

/** Applies a record. Facts passed in are changed in place. */
export function applyRecord(facts: RegistryFacts, record: LogRecord): RegistryFacts {
  switch (record.kind) {
    case "snapshot":
      return factsOf(record.state);
    case "master":
      facts.master = record.master;
      return facts;
    default:
      applyOperation(facts, record);
      return facts;
  }
}

/** The state that encoded records add up to. Throws an Error when something cannot be decoded. */
export function replay(stored: {
  readonly snapshot: Buffer | undefined;
  readonly entries: readonly Buffer[];
}): RegistryFacts {
  const { snapshot, entries } = stored;
  return (snapshot === undefined ? entries : [snapshot, ...entries])
    .flatMap(decodeRecords)
    .reduce(applyRecord, emptyFacts());
}
