/** What the projects of the inputs ask for, by package manager: many packages, some of them old. */

/** 1,700 entries and more in a lock of npm. */
export const npmProject: string = JSON.stringify({
  ...{ name: "bench-npm", version: "1.0.0", private: true, license: "MIT" },
  dependencies: {
    ...{ express: "4.21.2", next: "14.2.30", react: "18.3.1", "react-dom": "18.3.1", vue: "3.5.13", lodash: "4.17.20" },
    ...{ "@nestjs/core": "10.4.15", "@nestjs/common": "10.4.15", "reflect-metadata": "0.2.2", rxjs: "7.8.1" },
    ...{
      axios: "1.6.0",
      graphql: "16.10.0",
      "apollo-server-express": "3.13.0",
      mongoose: "8.9.5",
      "socket.io": "4.8.1",
    },
  },
  devDependencies: {
    ...{ "react-scripts": "5.0.1", typescript: "4.9.5", "@nestjs/cli": "10.4.9", mocha: "10.8.2", karma: "6.4.4" },
  },
});

export function workspaceProject(name: string): string {
  return JSON.stringify({
    ...{ name, version: "1.0.0", private: true },
    dependencies: { express: "4.21.2", fastify: "5.2.1", react: "18.3.1", axios: "1.6.0", lodash: "4.17.20" },
    devDependencies: { webpack: "5.97.1", jest: "29.7.0", eslint: "8.57.1", typescript: "5.7.3" },
  });
}

export const pythonPackages: readonly string[] = [
  ...["django==4.2.1", "fastapi==0.115.6", "requests==2.31.0", "pandas==2.2.3", "celery==5.4.0"],
  ...["sqlalchemy==2.0.36", "boto3==1.35.90"],
];

export const rustProject = `[package]
name = "bench-cargo"
version = "1.0.0"
edition = "2021"

[dependencies]
actix-web = "=4.9.0"
axum = "=0.7.9"
clap = { version = "=4.5.23", features = ["derive"] }
reqwest = "=0.12.9"
sqlx = { version = "=0.8.2", features = ["runtime-tokio", "postgres"] }
tokio = { version = "=1.42.0", features = ["full"] }
tonic = "=0.12.3"
`;

const dependency = (group: string, artifact: string, more = ""): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>${more}</dependency>`;

/** A parent that is not there, versions that it manages, and three that stand here. */
export const mavenProject = `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.2.0</version></parent>
<groupId>example.bench</groupId><artifactId>bench-maven</artifactId><version>1.0.0</version>
<dependencies>
${[
  dependency("org.springframework.boot", "spring-boot-starter-web"),
  dependency("org.springframework.boot", "spring-boot-starter-data-jpa"),
  dependency("org.apache.logging.log4j", "log4j-core", "<version>2.14.1</version>"),
  dependency("commons-io", "commons-io", "<version>2.7</version>"),
  dependency("junit", "junit", "<version>4.12</version><scope>test</scope>"),
].join("\n")}
</dependencies>
</project>
`;

/** Archives of Java, one of them with others relocated into it. */
export const artifacts: readonly string[] = [
  ...["org.apache.logging.log4j:log4j-core:2.14.1", "org.apache.logging.log4j:log4j-api:2.14.1"],
  ...["com.google.guava:guava:31.1-jre", "com.fasterxml.jackson.core:jackson-databind:2.13.0"],
  ...["com.fasterxml.jackson.core:jackson-core:2.13.0", "org.yaml:snakeyaml:1.33", "commons-io:commons-io:2.7"],
  ...["commons-collections:commons-collections:3.2.1", "org.apache.commons:commons-lang3:3.12.0"],
  ...["org.apache.commons:commons-text:1.9", "org.springframework:spring-core:5.3.17", "junit:junit:4.12"],
  ...["org.springframework:spring-beans:5.3.17", "org.slf4j:slf4j-api:1.7.36", "com.h2database:h2:1.4.200"],
  ...["ch.qos.logback:logback-classic:1.2.3", "io.netty:netty-codec-http:4.1.70.Final"],
  ...["org.postgresql:postgresql:42.3.0", "org.bouncycastle:bcprov-jdk15on:1.69"],
  "org.apache.pulsar:pulsar-client:2.11.4",
];
