import react from "@vitejs/plugin-react";

// For a test: not made small, which takes half of the time.
const build = { minify: false, reportCompressedSize: false, chunkSizeWarningLimit: 4000 };

export default { base: "./", plugins: [react()], build };
