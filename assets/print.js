// The browser's own way to paper and PDF.
document.documentElement.classList.remove("no-js");
document.querySelector("button[data-print]").addEventListener("click", () => window.print());
