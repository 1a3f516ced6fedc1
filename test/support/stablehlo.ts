/** Small StableHLO programs for tests that run them. */

/** y = x * w; max(y, 0), the place of each row's largest, y > 0. As JAX 0.10.2 exports it: MLIR bytecode (VHLO), of x [2, 3] and w [3, 4]. */
export const bytecode = Buffer.from(
  [
    "TUzvUg1TdGFibGVITE9fdjEuMTUuMAABLQUBBR0BAwsDGw8TFxsfIycrLzM3Oz8DAgLDKwGBBw8PCw8PCw8PCw8PCw8PDw8jCw8LCwsPGwsbCw8LDwsLDw8L",
    "DwsLDwsPCw8LCw8LDwsPCw8PGwsPDxsLDw8bDwNDCwsPCwsLCy8LCxMLFxMLEwsTCwsLCwsfHw8LCwsLHxMvAQULDwMnFw8PBw8TBwcXFxcHEyMXFxMHEwLS",
    "BR8VBQUdDTEFIR0zNR0TLwUjHUFDEQMFBSUdNzkdGQUFJx1NAx1bAx1vcR13eQMHJScpESsRBSkRAQAFKwUtBS8VBQktBwcJY40FMS0HBwsJ4wUzHTsBBTUd",
    "PwUFNwU5HRkBHUcDBTsdSwMFPQU/HVEDBUEdVQMFQx1ZAwVFBUcdXwEFSR1jAQVLHWdpBU0VawkdDW0tBwcJESsFTxVzCR0NdS0HBwk9XwVRFXsJHQ19LQcH",
    "CbfBHRMJIycJAx8pAR1TDQEDAR01Hx0RAQAAAAAAAAAHBxcBAwWJiSMfAwebn6MNA4edHVUNA4ehHVcNA4elHVkdWx1dIyEdXx8NCQAAAAAfBwkAAID/ExMF",
    "BwMHAQkHBwsfBwkAAAAAAwWTkx8dEQAAAAAAAAAAAQkBAgIpBQkRCykBCykBGwkpAREpAwkRGx0pBQkNCykFDRELKQUJERsBKQMFExEFFRcHBQ8ZEQMFAw8p",
    "BQkRESkDCQtDKQMBEwTKAwUBUQEjAQcEogMDAQkJUAEDBwSRAxMjBStdL2EABUIBBQMHF0ZlBwMFBQEDD0YfCQMFAwUZBh8DBQUHCRtGCwsDDwMHD0YhCQMF",
    "AwUDRiENAxkFBw8HBH8HCw0RCVALDwcEOgIDDRcDCwsABUIVEQMNBUIVEwMHEUI9FQMjE1YXFwUlDwkBBwUDBwTDAxsrCQ8PGw8PDxsPAANGRQ0DCQUBBQNG",
    "SRkDCQUBAQsGGwMJBQkLA0ZPGwMJBQEFA0ZTHQMJBQMHFQZXAwkFDxELBhsDCQUNEw0GHQMHBw0BBQ0GHQMNBxUDBwcEFwUXGQcECwMLBgMBBQEAcgdhEQ8L",
    "FRUVIRUXJwUFEwkHBwcHBxELDxETDSUpOQ8PBRERFx8PFREpFQ0RFRkXDwsRYnVpbHRpbgB2aGxvAG1vZHVsZQBjb21wYXJlX3YxAGNvbnN0YW50X3YxAHJl",
    "dHVybl92MQBmdW5jX3YxAG9yX3YxAHNlbGVjdF92MQBicm9hZGNhc3RfaW5fZGltX3YxAGlvdGFfdjEAcmVkdWNlX3YxAGFuZF92MQBkb3RfZ2VuZXJhbF92",
    "MgBtYXhpbXVtX3YxAGNhbGxfdjEAPHN0ZGluPgBmAGppdChmKQByZWR1Y2UAamF4LnVzZXNfc2hhcGVfcG9seW1vcnBoaXNtAG1obG8ubnVtX3BhcnRpdGlv",
    "bnMAbWhsby5udW1fcmVwbGljYXMAaml0X2YAPG1vZHVsZT4AYXJnbWF4OgBhcmdtYXgAaW90YQByZWR1Y2U6AGd0AG5lAG9yAGVxAGx0AGFuZABzZWxlY3Rf",
    "bgB4AHcAaml0KGYpL2RvdF9nZW5lcmFsAGppdChmKS9tYXgAaml0KGYpL2d0AGpheC5yZXN1bHRfaW5mbwByZXN1bHRbMF0AcmVzdWx0WzFdAHJlc3VsdFsy",
    "XQBtYWluAHB1YmxpYwBwcml2YXRlAAhvHwVbAQuVl5mnqQO9GYGBhYGPgYG/hYHBgQOFA40Fg5ELi6uLja0DrwOxA7MDjwWDtQWDtwW5uw==",
  ].join(""),
  "base64",
);

/** A module of one function: `main("%x: tensor<2xf32>", "tensor<2xf32>", "%0 = ...", "%0")`. */
export const main = (takes: string, gives: string, body: string, returns: string): string =>
  `module @test {
  func.func public @main(${takes}) -> (${gives}) {
    ${body}
    return ${returns} : ${gives}
  }
}
`;

/** y [1, 2] = x [1, 3] times a constant [3, 2] of 1 to 6. */
export const smallStablehlo = main(
  "%x: tensor<1x3xf32>",
  "tensor<1x2xf32>",
  `%w = stablehlo.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
    %y = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>`,
  "%y",
);
