/** Facts that are read when asked for and then kept: a machine has 200 PCI functions, and a review asks most of them for little. */

const contextKey = Symbol("context");

/**
 * Makes objects of one type from a table of how each lazy field is read. A field costs nothing until it is asked for, and is an
 * ordinary property from then on.
 */
export function lazyFields<Context extends object, Fields extends object>(makers: {
  readonly [K in keyof Fields]: (context: Context) => Fields[K];
}): <Eager extends object>(context: Context, eager: Eager) => Eager & Fields {
  const prototype: object = {};
  for (const name of Object.keys(makers) as (keyof Fields & string)[]) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: { readonly [contextKey]: Context }) {
        const value = makers[name](this[contextKey]);
        Object.defineProperty(this, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return (context, eager) => {
    const object: unknown = Object.assign(Object.create(prototype) as object, eager);
    Object.defineProperty(object, contextKey, { value: context });
    return object as typeof eager & Fields; // its prototype has a getter for each field
  };
}
