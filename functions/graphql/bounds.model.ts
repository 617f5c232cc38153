/** Lexical tokens of a document. The introspection query of tools has some 160. */
export const tokensMax = 1_000;
/** Fields within fields. The introspection query of tools goes 15 deep, this schema's own types end at 4. */
export const depthMax = 20;
/** Operations of the HTTP contract in one request, whatever they are called: the gateway counts requests, not what is in them. */
export const callsMax = { query: 10, mutation: 5, subscription: 0 } as const;
/** The bytes that one point of cost stands for. */
export const bytesPerPoint = 100;
/** What an answer may come to at most, in points: below the 6 MB that Lambda lets a function answer. */
export const costMax = 50_000;
export const errorsMax = 20;
