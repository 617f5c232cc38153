/** Files that are imported as their text, by `with { type: 'text' }`: what the page consists of, and Swagger UI. */
declare module '*.html' {
  const text: string;
  export default text;
}
declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*.client.js' {
  const text: string;
  export default text;
}
declare module 'swagger-ui-dist/swagger-ui-bundle.js' {
  const text: string;
  export default text;
}
declare module 'swagger-ui-dist/LICENSE' {
  const text: string;
  export default text;
}
declare module 'swagger-ui-dist/NOTICE' {
  const text: string;
  export default text;
}
declare module '*.LICENSE.txt' {
  const text: string;
  export default text;
}
