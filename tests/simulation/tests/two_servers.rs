//! Two servers in front of one database.

use simulation::report::prove;
use simulation::simulation::Setup;
use simulation::table::Manner;

#[test]
fn two_servers_on_one_database_are_linearizable() {
    prove(Setup::Database(Manner::Atomic));
}
