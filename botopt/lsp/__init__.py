"""The language server: `botopt/authoring/editing`, spoken over the Language Server Protocol. Needs `botopt[lsp]`."""
