import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "machines/**"] },
  {
    files: ["**/*.mjs", "*.config.js", "*.config.ts"],
    extends: [tseslint.configs.strict],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: { eqeqeq: "error", "no-undef": "error", "prefer-const": "error", "no-var": "error" },
    languageOptions: {
      globals: Object.fromEntries(
        [
          "process",
          "AbortSignal",
          "Buffer",
          "URL",
          "performance",
          "setInterval",
          "clearInterval",
          "setTimeout",
          "Atomics",
        ].map((name) => [name, "readonly"]),
      ),
      ecmaVersion: 2023,
    },
  },
  {
    files: ["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "web/src/**/*.ts", "web/src/**/*.tsx"],
    extends: [...tseslint.configs.strictTypeChecked],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/unified-signatures": "off",
      "no-console": "error",
    },
  },
);
