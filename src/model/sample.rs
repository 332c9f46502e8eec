//! Names of the people and samples that the data comes from.

use super::ids::string_type;

string_type! {
    /// Whom the data is of: 1 to 127 characters, no control characters.
    SubjectId
}
string_type! {
    /// Which sample of the subject it is: 1 to 127 characters, no control characters.
    SampleId
}
