export const SHARING = `
## roles share by weight, levels of the tree apart [by shares]
> weight prod 2
> framework F roles=prod/web
> framework G roles=prod/db
> framework H roles=dev
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> agent a3 cpus:1;mem:100
> agent a4 cpus:1;mem:100
> agent a5 cpus:1;mem:100
> agent a6 cpus:1;mem:100
> count 1s
  F prod/web 2
  G prod/db 2
  H dev 2

## a role with frameworks of its own competes with its sub-roles as one of them [by shares]
> framework F roles=a
> framework G roles=a/b
> framework H roles=a/c
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> agent a3 cpus:1;mem:100
> count 1s
  F a 1
  G a/b 1
  H a/c 1

## what is in use when an agent comes counts, also for a framework that comes later [by shares]
> framework F
> agent a1 cpus:8;mem:800 used=G:*:cpus:6;mem:600
> wait 1s
  F * a1 cpus:2; mem:200
> framework G
> agent a2 cpus:1;mem:100
> agent a3 cpus:4;mem:400
> count 1s
  F * 2

## a whole agent goes to one framework, and what it gives back to the next [by shares]
> framework F
> framework G
> agent a cpus:4;mem:400;ports:[1-10]
> wait 1s
  F * a cpus:4; mem:400; ports:[1-10]
> return F a cpus:1;mem:100;ports:[1-5] for=60
> wait 1s
  G * a cpus:1; mem:100; ports:[1-5]

## frameworks in several roles are offered each agent in one of them [by shares]
> framework F roles=x,y
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> count 1s
  F x 1
  F y 1
`;
