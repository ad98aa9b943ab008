/** The version of this factory, as evidence names it. */
export const productVersion = "0.1.0";
