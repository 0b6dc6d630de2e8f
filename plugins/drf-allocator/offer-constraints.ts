import { type AgentInfo, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import {
  type AttributeConstraint,
  type AttributeConstraint_Predicate,
  type AttributeConstraint_Selector,
  type OfferConstraints,
  AttributeConstraint_Selector_PseudoattributeType as Pseudoattribute,
} from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { TextPattern } from "./text-pattern.js";

/** `undefined`: the agent has no such attribute; `other`: it has, but it is not a text. */
type Selected = string | undefined | { readonly other: true };

type Test = (agent: AgentInfo) => boolean;

/** Which agents a framework wants to be offered, by role: any group of constraints, all constraints of that group. */
export class OfferConstraintsFilter {
  static readonly none: OfferConstraintsFilter = new this(new Map());

  private constructor(private readonly groups: ReadonlyMap<string, readonly (readonly Test[])[]>) {}

  static of(constraints: OfferConstraints | undefined): OfferConstraintsFilter {
    const roles = Object.entries(constraints?.role_constraints ?? {});
    if (roles.length === 0) return OfferConstraintsFilter.none;
    return new OfferConstraintsFilter(
      new Map(
        roles.map(([role, { groups }]) => [
          role,
          groups.map(({ attribute_constraints: all }) => all.map(testOf)),
        ]),
      ),
    );
  }

  /** Whether the agent is not to be offered in the role. */
  excludes(role: string, agent: AgentInfo): boolean {
    const groups = this.groups.get(role);
    return groups !== undefined && !groups.some((tests) => tests.every((test) => test(agent)));
  }
}

function testOf({ selector, predicate }: AttributeConstraint): Test {
  const test = predicateOf(predicate ?? {});
  return (agent) => test(select(agent, selector ?? {}));
}

function select(agent: AgentInfo, selector: AttributeConstraint_Selector): Selected {
  if (selector.attribute_name !== undefined) {
    const attribute = agent.attributes.find(({ name }) => name === selector.attribute_name);
    if (attribute === undefined) return undefined;
    return attribute.type === Value_Type.TEXT ? (attribute.text?.value ?? "") : { other: true };
  }
  switch (selector.pseudoattribute_type) {
    case Pseudoattribute.HOSTNAME:
      return agent.hostname ?? "";
    case Pseudoattribute.REGION:
      return agent.domain?.fault_domain?.region?.name;
    case Pseudoattribute.ZONE:
      return agent.domain?.fault_domain?.zone?.name;
    default:
      return undefined;
  }
}

/** Scalars and ranges satisfy every predicate about texts, whichever way it asks. One that is not known is never satisfied. */
function predicateOf(predicate: AttributeConstraint_Predicate): (selected: Selected) => boolean {
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
  if (predicate.text_matches !== undefined) {
    const pattern = new TextPattern(predicate.text_matches.regex ?? "");
    return onText({ missing: false, test: (text) => pattern.matches(text) === true });
  }
  if (predicate.text_not_matches !== undefined) {
    const pattern = new TextPattern(predicate.text_not_matches.regex ?? "");
    return onText({ missing: true, test: (text) => pattern.matches(text) === false });
  }
  return () => false;
}

function onText(options: { missing: boolean; test: (text: string) => boolean }) {
  return (selected: Selected): boolean => {
    if (selected === undefined) return options.missing;
    return typeof selected === "string" ? options.test(selected) : true;
  };
}
