/**
 * The skills that fit-check knows: one row a skill, `id | name | aliases`, under its category.
 *
 * A name or alias is found as a whole word or phrase in any case. A mark before it asks for more, since it is an
 * everyday word as well: `~` a capital inside a sentence or a technical neighbour, `!` a technical neighbour always,
 * `^` capitals throughout. See `skills.ts`.
 */
export type SkillCategory =
  | 'language'
  | 'frontend'
  | 'backend'
  | 'mobile'
  | 'database'
  | 'data'
  | 'ai'
  | 'cloud'
  | 'devops'
  | 'security'
  | 'architecture'
  | 'testing'
  | 'method'
  | 'design'
  | 'business'
  | 'care'
  | 'soft';

/** How sure a plain mention is. */
export type AliasMark = 'sure' | 'word' | 'strict' | 'caps';

export interface SkillAlias {
  readonly text: string;
  readonly mark: AliasMark;
}

export interface Skill {
  readonly id: string;
  readonly name: string;
  readonly category: SkillCategory;
  readonly aliases: readonly SkillAlias[];
}

const TABLE: Readonly<Record<SkillCategory, string>> = {
  language: `
typescript | TypeScript | !ts
javascript | JavaScript | js, ecmascript, es6, es2015, vanilla js
python | Python | py3, cpython
java | Java | jdk, j2ee, jakarta ee
csharp | C# | c#, c sharp, csharp
cpp | C++ | c++, cpp, c plus plus
c | C | !c, ansi c, embedded c, c language
go | Go | !go, golang, go lang
rust | Rust | ~rust, rustlang
r | R | !r, rstudio, tidyverse, r language
ruby | Ruby | ~ruby
php | PHP | php
swift | Swift | ~swift, swiftlang
kotlin | Kotlin |
scala | Scala | ~scala
elixir | Elixir | ~elixir
erlang | Erlang | erlang otp
clojure | Clojure | clojurescript
haskell | Haskell |
perl | Perl |
lua | Lua |
dart | Dart | ~dart
julia | Julia | !julia
matlab | MATLAB | simulink
fsharp | F# | f#, f sharp
objective-c | Objective-C | objective c, objc
sql | SQL | t sql, pl sql, ansi sql
bash | Bash | shell scripting, shell scripts, unix shell
cobol | COBOL |
solidity | Solidity |
html | HTML | html5
css | CSS | css3, css modules
webassembly | WebAssembly | wasm`,
  frontend: `
react | React | ~react, reactjs, react.js, react js
nextjs | Next.js | next.js, nextjs, next js
vue | Vue.js | vue, vuejs, vue.js, nuxt, nuxt.js, nuxtjs
angular | Angular | angularjs, angular.js
svelte | Svelte | sveltekit
redux | Redux | redux toolkit
tailwind | Tailwind CSS | tailwind, tailwindcss
vite | Vite |
webpack | webpack |
jquery | jQuery |
accessibility | Accessibility | a11y, wcag, web accessibility
web-performance | Web performance | core web vitals, page speed
d3 | D3.js | d3, d3.js, data visualisation, data visualization`,
  backend: `
nodejs | Node.js | node.js, nodejs, node js, ~node
express | Express | ~express, express.js, expressjs
fastify | Fastify |
nestjs | NestJS | nest.js, nestjs
django | Django | django rest framework
flask | Flask | ~flask
fastapi | FastAPI | fast api
spring | Spring Boot | spring boot, springboot, ~spring, spring framework
dotnet | .NET | .net, dotnet, .net core, asp.net, asp.net core, dot net
rails | Ruby on Rails | ruby on rails, ~rails, ror
laravel | Laravel | symfony
graphql | GraphQL | apollo graphql
grpc | gRPC | protobuf, protocol buffers
rest | REST APIs | rest api, rest apis, restful, restful api, restful apis, rest services, ^rest, openapi, api design
websockets | WebSockets | websocket, server sent events, ^sse`,
  mobile: `
ios | iOS | ios development, swiftui, uikit
android | Android | jetpack compose, android sdk
react-native | React Native | react native
flutter | Flutter | ~flutter`,
  database: `
postgresql | PostgreSQL | postgres, postgresql, pgsql, psql, pgvector
mysql | MySQL | mariadb
sqlserver | SQL Server | sql server, mssql, ms sql
oracle-db | Oracle Database | oracle db, oracle database, ^oracle
sqlite | SQLite | libsql
mongodb | MongoDB | mongo, mongoose
redis | Redis | valkey
elasticsearch | Elasticsearch | elastic search, opensearch, ^elk, elk stack, lucene
dynamodb | DynamoDB | dynamo db
cassandra | Cassandra | apache cassandra, scylladb
neo4j | Neo4j | graph database, graph databases
clickhouse | ClickHouse |
bigquery | BigQuery | big query
snowflake | Snowflake | ~snowflake
redshift | Redshift | amazon redshift
vector-db | Vector databases | vector database, vector databases, vector search, vector store, pinecone, qdrant, weaviate`,
  data: `
kafka | Apache Kafka | kafka, apache kafka, kafka streams
rabbitmq | RabbitMQ | amqp
spark | Apache Spark | apache spark, pyspark, ~spark, spark streaming
flink | Apache Flink | flink, apache flink
airflow | Apache Airflow | airflow, apache airflow
dbt | dbt | dbt, dbt core
databricks | Databricks | delta lake
hadoop | Hadoop | hdfs, apache hive, mapreduce
etl | ETL pipelines | etl, elt, data pipeline, data pipelines, data engineering
data-modelling | Data modelling | data modeling, data modelling, dimensional modelling, dimensional modeling
data-analysis | Data analysis | data analysis, data analytics, analytics, business intelligence
statistics | Statistics | statistical analysis, statistical modelling, statistical modeling, biostatistics
experimentation | A/B testing | a b testing, ab testing, a b tests, experimentation, causal inference
tableau | Tableau |
powerbi | Power BI | power bi, powerbi
looker | Looker | looker studio
excel | Microsoft Excel | microsoft excel, ms excel, ~excel, spreadsheets
pandas | pandas | ~pandas, numpy, jupyter`,
  ai: `
machine-learning | Machine learning | machine learning, ^ml, applied ml, predictive models
deep-learning | Deep learning | deep learning, neural networks, neural network
nlp | Natural language processing | natural language processing, nlp
computer-vision | Computer vision | computer vision, opencv, image recognition
llm | Large language models | llm, llms, large language model, large language models, generative ai, genai, gen ai, foundation models
rag | Retrieval-augmented generation | ^rag, retrieval augmented generation, rag pipelines
prompt-engineering | Prompt engineering | prompt engineering, prompt design
ai-agents | AI agents | ai agents, ai agent, agentic, langchain, langgraph, model context protocol, tool calling
ai-evaluation | AI evaluation | model evaluation, llm evaluation, llm evals, ai safety
pytorch | PyTorch |
tensorflow | TensorFlow | keras, jax
scikit-learn | scikit-learn | scikit learn, sklearn, xgboost
huggingface | Hugging Face Transformers | hugging face, huggingface
mlops | MLOps | mlops, ml ops, mlflow, kubeflow, sagemaker, vertex ai, model serving
cuda | CUDA | gpu programming, gpu computing
recommender-systems | Recommender systems | recommender systems, recommendation systems, recommendations engine, personalisation, personalization
speech | Speech recognition | speech recognition, speech to text, text to speech
robotics | Robotics | ros2, autonomous driving`,
  cloud: `
aws | AWS | aws, amazon web services, ec2, s3, aws lambda, ecs, eks
gcp | Google Cloud | gcp, google cloud, google cloud platform, cloud run, gke
azure | Microsoft Azure | azure, microsoft azure, aks
cloudflare-workers | Cloudflare Workers | cloudflare workers, edge computing
vercel | Vercel | netlify
serverless | Serverless | serverless, ^lambda, faas
openstack | OpenStack | vmware`,
  devops: `
docker | Docker | containers, containerisation, containerization, podman
kubernetes | Kubernetes | k8s, kube, openshift
helm | Helm | ~helm, argo cd, argocd, gitops
terraform | Terraform | infrastructure as code, ^iac, pulumi, opentofu, cloudformation
ansible | Ansible | ~puppet
cicd | CI/CD | ci cd, cicd, ^ci, continuous integration, continuous delivery, continuous deployment, github actions, gitlab ci, jenkins
git | Git | git, github, gitlab, version control
linux | Linux | unix, ubuntu, debian, red hat
observability | Observability | observability, opentelemetry, distributed tracing, monitoring, apm
prometheus | Prometheus | ~prometheus, promql
grafana | Grafana |
datadog | Datadog | new relic, splunk, sentry
sre | Site reliability engineering | site reliability, site reliability engineering, ^sre, on call, incident response, slos
networking | Computer networking | !networking, tcp ip, dns, network engineering, load balancing, bgp
embedded | Embedded systems | embedded systems, embedded software, firmware, rtos, autosar, microcontrollers
build-tools | Build systems | bazel, monorepo, monorepos, turborepo
nginx | NGINX | nginx, envoy, haproxy`,
  security: `
security | Application security | application security, appsec, owasp, secure coding, web security, cybersecurity, cyber security, information security
identity | Identity and access | oauth, oauth2, openid connect, oidc, saml, sso, identity and access management, ^iam
cryptography | Cryptography | encryption, ^pki
pentesting | Penetration testing | penetration testing, pentesting, pen testing, red teaming
compliance | Compliance | gdpr, soc 2, iso 27001, hipaa, pci dss, regulatory compliance
siem | Security monitoring | siem, threat detection, security operations, ^soc`,
  architecture: `
microservices | Microservices | microservice, microservices, service oriented architecture
distributed-systems | Distributed systems | distributed systems, distributed system, distributed computing
event-driven | Event-driven architecture | event driven, event driven architecture, event sourcing, cqrs, message queues, pub sub
system-design | System design | system design, software architecture, solution architecture, systems architecture
ddd | Domain-driven design | domain driven design, ^ddd
scalability | High-scale services | high scale, high availability, scalability, low latency, high throughput, performance tuning
payments | Payment systems | payment systems, payments, payment processing
blockchain | Blockchain | blockchain, web3, smart contracts
simulation | Simulation and modelling | numerical simulation, finite element analysis, computational fluid dynamics, digital twin, digital twins
cad | CAD | solidworks, catia, autocad, computer aided design
game-engines | Game engines | unreal engine, unity3d, game engine, game development`,
  testing: `
testing | Automated testing | automated testing, test automation, unit testing, unit tests, integration testing, integration tests, tdd, test driven development, jest, vitest, pytest, junit
e2e-testing | End-to-end testing | end to end testing, e2e testing, playwright, cypress, selenium
load-testing | Load testing | load testing, performance testing, k6, jmeter
qa | Quality assurance | quality assurance, ^qa, manual testing, test plans`,
  method: `
agile | Agile | agile, scrum, kanban, lean development
project-management | Project management | project management, project manager, pmp, prince2, programme management, program management
product-management | Product management | product manager, product strategy, roadmapping, product roadmap
code-review | Code review | code review, code reviews, pair programming
technical-writing | Technical writing | technical documentation
open-source | Open source | open source, open source software`,
  design: `
ux | UX design | ux, ux design, user experience, ui ux, ux ui, interaction design, usability
ui-design | UI design | ui design, visual design, user interface design
figma | Figma | sketch app
user-research | User research | user research, usability testing, ux research
design-systems | Design systems | design systems, design system, storybook, component library`,
  business: `
sales | Sales | b2b sales, account executive, account management, business development
marketing | Marketing | digital marketing, content marketing, go to market, brand management
seo | SEO | seo, search engine optimisation, search engine optimization
crm | CRM | crm, salesforce, hubspot
erp | ERP | erp, ^sap, sap s 4hana, s 4hana, ~abap
finance | Financial analysis | financial analysis, financial modelling, financial modeling, forecasting, valuation
accounting | Accounting | accounting, bookkeeping, ifrs, gaap, auditing
risk | Risk management | risk management, credit risk, market risk, fraud detection
supply-chain | Supply chain | supply chain, logistics, procurement, warehouse management, inventory management
customer-support | Customer support | customer support, customer service, customer success, help desk
hr | Human resources | human resources, recruiting, talent acquisition, ^hr
legal | Legal work | contract law, legal research, contract negotiation
consulting | Consulting | management consulting, client advisory, technology consulting
operations | Operations management | six sigma, process improvement, lean manufacturing`,
  care: `
patient-care | Patient care | patient care, nursing, registered nurse, bedside care, medication administration
clinical-research | Clinical research | clinical research, clinical trials, good clinical practice
bioinformatics | Bioinformatics | bioinformatics, genomics, computational biology
health-records | Health records | electronic health records, electronic medical records, ^ehr, ^emr, ^fhir, hl7
teaching | Teaching | teaching, curriculum development, classroom management, lesson planning`,
  soft: `
leadership | Leadership | technical leadership, team leadership, leadership, leading teams, team lead, tech lead, people management, engineering management
mentoring | Mentoring | mentoring, coaching, mentor, mentored
communication | Communication | communication skills, written communication, communication, public speaking
stakeholder-management | Stakeholder management | stakeholder management, stakeholders, cross functional, cross functional teams
german | German | fluent german, german c1, !german
french | French | fluent french, !french
spanish | Spanish | fluent spanish, !spanish
english | English | fluent english, !english`,
};

const MARKS: Readonly<Record<string, AliasMark>> = { '~': 'word', '!': 'strict', '^': 'caps' };

function toAlias(raw: string): SkillAlias {
  const mark = MARKS[raw.charAt(0)];
  return mark === undefined ? { text: raw, mark: 'sure' } : { text: raw.slice(1), mark };
}

function toSkill(row: string, category: SkillCategory): Skill {
  const [id = '', name = '', list = ''] = row.split('|').map((cell) => cell.trim());
  const aliases = list
    .split(',')
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '')
    .map(toAlias);
  const own = name.toLowerCase();
  if (!aliases.some((alias) => alias.text === own)) aliases.push({ text: own, mark: 'sure' });
  return { id, name, category, aliases };
}

const categories = Object.keys(TABLE) as SkillCategory[];

/** Every known skill, in the order of the table. */
export const SKILLS: readonly Skill[] = categories.flatMap((category) =>
  TABLE[category]
    .trim()
    .split('\n')
    .map((row) => toSkill(row, category)),
);

/** Skills of one family lend each other partial credit: who knows one learns the next sooner. */
export const FAMILIES: readonly (readonly string[])[] = [
  ['react', 'vue', 'angular', 'svelte'],
  ['aws', 'gcp', 'azure'],
  ['postgresql', 'mysql', 'sqlserver', 'oracle-db', 'sqlite'],
  ['mongodb', 'dynamodb', 'cassandra'],
  ['bigquery', 'snowflake', 'redshift', 'clickhouse', 'databricks'],
  ['express', 'fastify', 'nestjs'],
  ['django', 'flask', 'fastapi'],
  ['java', 'kotlin', 'scala', 'csharp'],
  ['c', 'cpp', 'rust', 'go'],
  ['ios', 'android', 'react-native', 'flutter'],
  ['kafka', 'rabbitmq', 'event-driven'],
  ['spark', 'flink', 'hadoop'],
  ['tableau', 'powerbi', 'looker'],
  ['pytorch', 'tensorflow'],
  ['prometheus', 'grafana', 'datadog', 'observability', 'sre'],
  ['microservices', 'distributed-systems', 'scalability', 'system-design', 'event-driven'],
  ['machine-learning', 'deep-learning', 'nlp', 'computer-vision', 'scikit-learn', 'recommender-systems'],
  ['llm', 'rag', 'ai-agents', 'prompt-engineering', 'ai-evaluation', 'nlp'],
  ['testing', 'e2e-testing', 'load-testing', 'qa'],
  ['project-management', 'product-management', 'agile'],
  ['leadership', 'mentoring', 'stakeholder-management'],
  ['security', 'identity', 'cryptography', 'pentesting', 'siem'],
  ['ux', 'ui-design', 'user-research', 'design-systems', 'figma'],
  ['data-analysis', 'statistics', 'experimentation', 'pandas'],
  ['rest', 'graphql', 'grpc'],
];

/** Who shows the skill on the left has, for the most part, shown those on the right. */
export const IMPLIES: Readonly<Record<string, readonly string[]>> = {
  typescript: ['javascript'],
  nodejs: ['javascript'],
  react: ['javascript', 'html', 'css'],
  vue: ['javascript', 'html', 'css'],
  angular: ['typescript', 'javascript', 'html', 'css'],
  nextjs: ['react', 'javascript', 'html', 'css'],
  'react-native': ['react', 'javascript'],
  express: ['nodejs', 'javascript'],
  fastify: ['nodejs', 'javascript'],
  nestjs: ['nodejs', 'typescript'],
  django: ['python'],
  flask: ['python'],
  fastapi: ['python', 'rest'],
  pandas: ['python'],
  pytorch: ['python', 'deep-learning', 'machine-learning'],
  tensorflow: ['python', 'deep-learning', 'machine-learning'],
  'scikit-learn': ['python', 'machine-learning'],
  'deep-learning': ['machine-learning'],
  rag: ['llm'],
  'ai-agents': ['llm'],
  spring: ['java'],
  rails: ['ruby'],
  laravel: ['php'],
  dotnet: ['csharp'],
  flutter: ['dart'],
  postgresql: ['sql'],
  mysql: ['sql'],
  sqlserver: ['sql'],
  bigquery: ['sql'],
  snowflake: ['sql'],
  kubernetes: ['docker'],
  helm: ['kubernetes'],
  kafka: ['event-driven'],
  prometheus: ['observability'],
  tailwind: ['css'],
};
