//! Names of the people and samples that the data is of.

use super::constraint;
use super::ids::string_type;

string_type! {
    /// The name of the subject, a person or another organism, whose data it is: 1 to 127 characters, none of them a
    /// control character.
    SubjectId, checked by constraint::name
}
string_type! {
    /// The name of the sample of the subject: 1 to 127 characters, none of them a control character.
    SampleId, checked by constraint::name
}
