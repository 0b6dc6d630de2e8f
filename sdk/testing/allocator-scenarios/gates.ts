export const GATES = `
## revocable, shared and refined resources are for those that know them
> framework F roles=a/b
> agent a1 revocable(cpus:2)+cpus:1;mem:100
> agent a2 shared(a,v1,64)
> agent a3 refined(a,a/b;cpus:4)
> wait 1s
  F a/b a1 cpus:1; mem:100
> explain F
  a/b NEEDS_RESOURCE_CAPABILITY 2 a1,a3
  a/b TOO_SMALL 1 a2
> framework G roles=a/b caps=REVOCABLE_RESOURCES,SHARED_RESOURCES,RESERVATION_REFINEMENT
> wait 1s
  G a/b a1 cpus{REV}:2
  G a/b a3 cpus(reservations: [(DYNAMIC,a),(DYNAMIC,a/b)]):4

## a shared volume is offered once a run, and to others while it is in use
> framework F roles=a caps=SHARED_RESOURCES
> agent a cpus(a):2;mem(a):64+shared(a,v1,64)
> wait 500ms
  F a a cpus(reservations: [(STATIC,a)]):2; disk(reservations: [(STATIC,a)])[v1:v1]<SHARED>:64<1>; mem(reservations: [(STATIC,a)]):64
> framework G roles=a caps=SHARED_RESOURCES least=a/
# One for its coming, and one in each interval.
> wait 3s
  G a a disk(reservations: [(STATIC,a)])[v1:v1]<SHARED>:64<1>
  G a a disk(reservations: [(STATIC,a)])[v1:v1]<SHARED>:64<1>
  G a a disk(reservations: [(STATIC,a)])[v1:v1]<SHARED>:64<1>
  G a a disk(reservations: [(STATIC,a)])[v1:v1]<SHARED>:64<1>

## agents with GPUs are for those that know them
> framework F
> agent a cpus:2;mem:100;gpus:1
> wait 1s
> explain F
  * NEEDS_GPU_RESOURCES 1 a
> framework G caps=GPU_RESOURCES
> wait 1s
  G * a cpus:2; gpus:1; mem:100

## agents of another region are for those that know regions
> framework F
> agent a cpus:2;mem:100 region=east
> wait 1s
> explain F
  * NEEDS_REGION_AWARE 1 a
> framework G caps=REGION_AWARE
> wait 1s
  G * a cpus:2; mem:100

## old agents are for old frameworks, and for roles without a slash
> agent a cpus:2;mem:100 old=yes
> framework F
> framework G role=a/b
> wait 1s
> explain F
  * AGENT_LACKS_MULTI_ROLE 1 a
> explain G
  a/b AGENT_LACKS_HIERARCHICAL_ROLE 1 a
> framework H role=a
> wait 1s
  H a a cpus:2; mem:100

## constraints choose agents by attribute, hostname, region and zone
> framework F constraints={"role_constraints":{"*":{"groups":[{"attribute_constraints":[{"selector":{"attribute_name":"rack"},"predicate":{"text_matches":{"regex":"r[12]"}}}]},{"attribute_constraints":[{"selector":{"pseudoattribute_type":1},"predicate":{"text_equals":{"value":"a9.example"}}}]}]}}}
> agent a1 cpus:1;mem:100 rack=r1
> agent a2 cpus:1;mem:100 rack=r3
> agent a3 cpus:1;mem:100
> agent a9 cpus:1;mem:100
> wait 1s
  F * a1 cpus:1; mem:100
  F * a9 cpus:1; mem:100
> excluded-by-constraints F *
  a2
  a3
> explain F
  * NOTHING_FREE 2 a1,a9
  * OFFER_CONSTRAINTS 2 a2,a3

## constraints that are not valid are told so
> constraints {"role_constraints":{"r":{"groups":[]}}}
  'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role r
> constraints {"role_constraints":{"r":{"groups":[{"attribute_constraints":[]}]}}}
  'OfferConstraints::RoleConstraints::groups' for role rcontains an empty RoleConstraints::Group
> constraints {"role_constraints":{"r":{"groups":[{"attribute_constraints":[{"selector":{"attribute_name":"x"},"predicate":{"text_matches":{"regex":"(a"}}}]}]}}}
  A role r has an invalid 'AttributeConstraint': Failed to construct regex from pattern '(a': missing ): (a
> constraints {"role_constraints":{"r":{"groups":[{"attribute_constraints":[{"selector":{"attribute_name":"x"},"predicate":{"text_matches":{"regex":"(a{100}){100}"}}}]}]}}}
  A role r has an invalid 'AttributeConstraint': Failed to construct regex from pattern '(a{100}){100}': invalid repetition size: (a{100}){100}
> constraints {"role_constraints":{"r":{"groups":[{"attribute_constraints":[{"selector":{"attribute_name":"x"},"predicate":{"text_matches":{"regex":"[a-f]+"}}}]}]}}}
  valid

## frameworks and agents that are not active are left out
> framework F inactive=yes
> framework G
> agent a1 cpus:1;mem:100
> agent-off a1
> agent a2 cpus:1;mem:100
> deactivate G
> wait 1s
> explain F
  * FRAMEWORK_INACTIVE
  * AGENT_INACTIVE 1 a1
  * WAITING_FOR_TURN 1 a2
> activate F
> wait 1s
  F * a2 cpus:1; mem:100
> agent-on a1
> wait 1s
  F * a1 cpus:1; mem:100

## only agents in the whitelist are offered
> framework F
> whitelist a1.example a2.example
> agent a1 cpus:1;mem:100
> agent a3 cpus:1;mem:100
> wait 1s
  F * a1 cpus:1; mem:100
> explain F
  * NOTHING_FREE 1 a1
  * NOT_WHITELISTED 1 a3
> whitelist none
> wait 1s
  F * a3 cpus:1; mem:100
`;
