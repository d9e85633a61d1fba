/**
 * The discrete cosine transforms of libjpeg (`jfdctint.c`, `jidctint.c`), in the same fixed-point
 * arithmetic, so that results are equal. The algorithm is that of Loeffler, Ligtenberg and Moschytz (1989).
 */

export const SIDE = 8;
const CONST_BITS = 13;
const PASS_BITS = 2;

const fix = (value: number) => Math.round(value * 2 ** CONST_BITS);
const C0_298 = fix(0.298631336);
const C0_390 = fix(0.390180644);
const C0_541 = fix(0.5411961);
const C0_765 = fix(0.765366865);
const C0_899 = fix(0.899976223);
const C1_175 = fix(1.175875602);
const C1_501 = fix(1.50132111);
const C1_847 = fix(1.847759065);
const C1_961 = fix(1.96157056);
const C2_053 = fix(2.053119869);
const C2_562 = fix(2.562915447);
const C3_072 = fix(3.072711026);

/** Transform a block of samples in place to coefficients, which are 8 times as large as defined. */
export function forward(block: Int32Array): void {
  for (let row = 0; row < SIDE; row++) forwardLine(block, row * SIDE, 1, -PASS_BITS, CONST_BITS - PASS_BITS);
  for (let column = 0; column < SIDE; column++) forwardLine(block, column, SIDE, PASS_BITS, CONST_BITS + PASS_BITS);
}

/** Transform a block of coefficients in place to samples. */
export function inverse(block: Int32Array): void {
  for (let column = 0; column < SIDE; column++) inverseLine(block, column, SIDE, CONST_BITS - PASS_BITS);
  for (let row = 0; row < SIDE; row++) inverseLine(block, row * SIDE, 1, CONST_BITS + PASS_BITS + 3);
}

/** Divide by a power of two, and round. */
function descale(value: number, bits: number): number {
  return bits > 0 ? (value + (1 << (bits - 1))) >> bits : value << -bits;
}

function forwardLine(block: Int32Array, start: number, step: number, evenBits: number, bits: number): void {
  const at = (i: number) => block[start + i * step]!;
  const set = (i: number, value: number, by: number) => {
    block[start + i * step] = descale(value, by);
  };
  const [sum0, sum1, sum2, sum3] = [at(0) + at(7), at(1) + at(6), at(2) + at(5), at(3) + at(4)];
  const odd: Odd = [at(3) - at(4), at(2) - at(5), at(1) - at(6), at(0) - at(7)];
  const [even0, even1, even2, even3] = [sum0 + sum3, sum1 + sum2, sum1 - sum2, sum0 - sum3];
  const z = (even2 + even3) * C0_541;
  set(0, even0 + even1, evenBits);
  set(4, even0 - even1, evenBits);
  set(2, z + even3 * C0_765, bits);
  set(6, z - even2 * C1_847, bits);
  rotate(odd);
  set(7, odd[0], bits);
  set(5, odd[1], bits);
  set(3, odd[2], bits);
  set(1, odd[3], bits);
}

function inverseLine(block: Int32Array, start: number, step: number, bits: number): void {
  const at = (i: number) => block[start + i * step]!;
  const z = (at(2) + at(6)) * C0_541;
  const [low, high] = [z - at(6) * C1_847, z + at(2) * C0_765];
  const [sum, difference] = [(at(0) + at(4)) << CONST_BITS, (at(0) - at(4)) << CONST_BITS];
  const even = [sum + high, difference + low, difference - low, sum - high] as const;
  const odd: Odd = [at(7), at(5), at(3), at(1)];
  rotate(odd);
  for (let i = 0; i < 4; i++) {
    block[start + i * step] = descale(even[i]! + odd[3 - i]!, bits);
    block[start + (7 - i) * step] = descale(even[i]! - odd[3 - i]!, bits);
  }
}

type Odd = [number, number, number, number];

/** The odd part, which both transforms have in common. */
function rotate(odd: Odd): void {
  const [a, b, c, d] = odd;
  const z5 = (a + c + b + d) * C1_175;
  const z1 = -(a + d) * C0_899;
  const z2 = -(b + c) * C2_562;
  const z3 = z5 - (a + c) * C1_961;
  const z4 = z5 - (b + d) * C0_390;
  odd[0] = a * C0_298 + z1 + z3;
  odd[1] = b * C2_053 + z2 + z4;
  odd[2] = c * C3_072 + z2 + z3;
  odd[3] = d * C1_501 + z1 + z4;
}
