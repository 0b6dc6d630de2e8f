export const RESERVATIONS = `
## reservations are for their role and the roles below
> agent a cpus(eng):1;mem(eng):64;cpus(eng/web):1;mem(eng/web):64;cpus:1;mem:64
> framework F roles=dev
> wait 1s
  F dev a cpus:1; mem:64
> explain F
  dev RESERVED_FOR_OTHERS 1 a
> framework G roles=eng
> wait 1s
  G eng a cpus(reservations: [(STATIC,eng)]):1; mem(reservations: [(STATIC,eng)]):64
> framework H roles=eng/web
> wait 1s
  H eng/web a cpus(reservations: [(STATIC,eng/web)]):1; mem(reservations: [(STATIC,eng/web)]):64

## an offer that is reserved and made a volume comes back as such
> framework F roles=dev
> agent a cpus:1;mem:100;disk:100
> wait 1s
  F dev a cpus:1; disk:100; mem:100
> convert F a dev disk:64 volume(dev,v1,64)
> decline F
> framework G roles=ops
> suppress F
> wait 1s
  G ops a cpus:1; disk:36; mem:100
> decline G for=60
> revive F
> wait 1s
  F dev a cpus:1; disk(reservations: [(STATIC,dev)])[v1:v1]:64; disk:36; mem:100

## an operator can convert what is free, and only that
> framework F roles=dev
> agent a cpus:2;mem:100
> wait 1s
  F dev a cpus:2; mem:100
> return F a cpus:1;mem:50
> convert-free a cpus:2 cpus(ops):2
  not free
> convert-free a cpus:1 cpus(ops):1
  done
> wait 1s
  F dev a mem:50
> framework G roles=ops
> wait 1s
  G ops a cpus(reservations: [(STATIC,ops)]):1

## resource providers make an agent larger
> framework F
> agent a cpus:1;mem:100
> wait 1s
  F * a cpus:1; mem:100
> provider a disk:1000 used=F:*:disk:100
> suppress F
> framework G least=*/
> wait 1s
  G * a disk:900

## a framework that leaves frees all, and an agent that goes takes all with it
> framework F
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> count 1s
  F * 2
> agent-gone a2
> leave F
> framework G
> wait 1s
  G * a1 cpus:1; mem:100

## an agent that shrinks below what is held offers nothing of that
> framework F
> agent a cpus:4;mem:100
> wait 1s
  F * a cpus:4; mem:100
> return F a cpus:1
> total a cpus:2;mem:100
> wait 2s
> decline F
> wait 1s
  F * a cpus:2; mem:100
`;
