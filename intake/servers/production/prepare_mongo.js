// Run by mongosh in the database's container, again and again until it succeeds: makes the replica set and our user.
// A second run changes nothing but the password, so that a new one takes effect with the next start.
const { MONGO_INITDB_ROOT_USERNAME: root, MONGO_INITDB_ROOT_PASSWORD: secret, INTAKE_MONGO_PASSWORD: ours } = process.env;
const host = process.env.MONGO_MEMBER || "mongo:27017";

const admin = db.getSiblingDB("admin");
if (!admin.auth(root, secret)) quit(1);

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "intake", members: [{ _id: 0, host }] });
}

for (let tries = 0; !db.hello().isWritablePrimary; tries++) {
  if (tries === 60) quit(1);
  sleep(500);
}

const roles = [{ role: "readWrite", db: "intake" }];
const intake = db.getSiblingDB("intake");
if (intake.getUser("intake")) intake.updateUser("intake", { pwd: ours, roles });
else intake.createUser({ user: "intake", pwd: ours, roles });
