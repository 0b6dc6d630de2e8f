import { type AgentInfo, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  type AttributeConstraint,
  type AttributeConstraint_Predicate,
  type AttributeConstraint_Selector,
  type OfferConstraints,
  AttributeConstraint_Selector_PseudoattributeType as Pseudoattribute,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { type PatternLimits, TextPattern } from "./pattern.js";

/** `undefined`: the agent has no such attribute; `other`: it has, but it is not a text. */
type Selected = string | undefined | { readonly other: true };

type Test = (agent: AgentInfo) => boolean;

/** Which agents a framework wants to be offered, by role: any group of constraints, all constraints of that group. */
export class OfferConstraintsFilter {
  constructor(private readonly groups: ReadonlyMap<string, readonly (readonly Test[])[]>) {}

  /** Whether the agent is not to be offered in the role. */
  excludes(role: string, agent: AgentInfo): boolean {
    const groups = this.groups.get(role);
    return groups !== undefined && !groups.some((tests) => tests.every((test) => test(agent)));
  }
}

class Problem extends Error {}

/** Turns constraints into filters, or says what is wrong with them, in Mesos's words. */
export class ConstraintsReader {
  constructor(private readonly limits: PatternLimits) {}

  validate(constraints: OfferConstraints): string | undefined {
    try {
      this.groupsOf(constraints);
      return undefined;
    } catch (error) {
      if (error instanceof Problem) return error.message;
      throw error;
    }
  }

  /** Undefined for none. Constraints that are not valid have been refused before; should they come, no agent satisfies them. */
  read(constraints: OfferConstraints | undefined): OfferConstraintsFilter | undefined {
    const roles = Object.keys(constraints?.role_constraints ?? {});
    if (constraints === undefined || roles.length === 0) return undefined;
    if (this.validate(constraints) !== undefined) {
      return new OfferConstraintsFilter(new Map(roles.map((role) => [role, []])));
    }
    return new OfferConstraintsFilter(this.groupsOf(constraints));
  }

  private groupsOf({ role_constraints }: OfferConstraints): Map<string, Test[][]> {
    const byRole = new Map<string, Test[][]>();
    for (const [role, { groups }] of Object.entries(role_constraints)) {
      if (groups.length === 0) {
        throw new Problem(
          `'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role ${role}`,
        );
      }
      const tests = groups.map(({ attribute_constraints: all }) => {
        // Mesos has no space before "contains".
        if (all.length === 0) {
          throw new Problem(
            `'OfferConstraints::RoleConstraints::groups' for role ${role}contains an empty RoleConstraints::Group`,
          );
        }
        return all.map((one) => this.testOf(role, one));
      });
      byRole.set(role, tests);
    }
    return byRole;
  }

  private testOf(role: string, { selector, predicate }: AttributeConstraint): Test {
    const invalid = (why: string): Problem =>
      new Problem(`A role ${role} has an invalid 'AttributeConstraint': ${why}`);
    const select = selectorOf(selector ?? {});
    if (typeof select === "string") throw invalid(select);
    const test = predicateOf(predicate ?? {}, this.limits);
    if (typeof test === "string") throw invalid(test);
    return (agent) => test(select(agent));
  }
}

/** What the selector finds on an agent; or what is wrong with it. */
function selectorOf(selector: AttributeConstraint_Selector): ((agent: AgentInfo) => Selected) | string {
  const { attribute_name: wanted, pseudoattribute_type: type } = selector;
  if (wanted !== undefined) {
    return ({ attributes }) => {
      const attribute = attributes.find(({ name }) => name === wanted);
      if (attribute === undefined) return undefined;
      return attribute.type === Value_Type.TEXT ? (attribute.text?.value ?? "") : { other: true };
    };
  }
  switch (type) {
    case undefined:
      return "Exactly one of 'AttributeConstraint::Selector::name' or 'AttributeConstraint::Selector::pseudoattribute_type' must be set";
    case Pseudoattribute.HOSTNAME:
      return ({ hostname }) => hostname ?? "";
    case Pseudoattribute.REGION:
      return ({ domain }) => domain?.fault_domain?.region?.name;
    case Pseudoattribute.ZONE:
      return ({ domain }) => domain?.fault_domain?.zone?.name;
    default:
      return "Unknown pseudoattribute type";
  }
}

/** Scalars and ranges satisfy every predicate about texts, whichever way it asks. */
function predicateOf(
  predicate: AttributeConstraint_Predicate,
  limits: PatternLimits,
): ((selected: Selected) => boolean) | string {
  if (predicate.exists !== undefined) return (selected) => selected !== undefined;
  if (predicate.not_exists !== undefined) return (selected) => selected === undefined;
  if (predicate.text_equals !== undefined) {
    const { value = "" } = predicate.text_equals;
    return onText({ missing: false, test: (text) => text === value });
  }
  if (predicate.text_not_equals !== undefined) {
    const { value = "" } = predicate.text_not_equals;
    return onText({ missing: true, test: (text) => text !== value });
  }
  const regex = predicate.text_matches ?? predicate.text_not_matches;
  if (regex === undefined) return "Unknown predicate type";
  const pattern = TextPattern.of(regex.regex ?? "", limits);
  if ("problem" in pattern) return pattern.problem;
  return predicate.text_matches === undefined
    ? onText({ missing: true, test: (text) => !pattern.matches(text) })
    : onText({ missing: false, test: (text) => pattern.matches(text) });
}

function onText(options: { missing: boolean; test: (text: string) => boolean }) {
  return (selected: Selected): boolean => {
    if (selected === undefined) return options.missing;
    return typeof selected === "string" ? options.test(selected) : true;
  };
}
