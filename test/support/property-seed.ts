import fc from "fast-check";

/**
 * Loaded before every test file. Property tests draw the same cases in every run, so that a failure is never a matter of luck;
 * `PROPERTY_SEED=random npm test` looks at new ones, `PROPERTY_SEED=<number>` at those of a failure.
 */
const DEFAULT_SEED = 20_261_122;

const wanted = process.env.PROPERTY_SEED;
if (wanted !== "random") fc.configureGlobal({ seed: wanted === undefined ? DEFAULT_SEED : Number(wanted) });
