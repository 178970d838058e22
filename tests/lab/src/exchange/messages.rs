//! The frame of an operation's response: ResponseMessages, one message an entry, in request order.

use super::refusal::Refusal;
use super::xml::write::Writer;

/// The response messages of one operation under way.
pub struct Messages {
    operation: &'static str,
    writer: Writer,
}

impl Messages {
    /// The response of an operation, such as `GetItem`.
    pub fn new(operation: &'static str) -> Messages {
        let mut writer = Writer::new();
        writer.open(&format!("m:{operation}Response"));
        writer.open("m:ResponseMessages");
        Messages { operation, writer }
    }

    /// A successful entry with what the closure writes after the response code.
    pub fn success(&mut self, content: impl FnOnce(&mut Writer)) {
        self.open("Success");
        self.writer.leaf("m:ResponseCode", "NoError");
        content(&mut self.writer);
        self.close();
    }

    /// An entry that was refused.
    pub fn refuse(&mut self, refusal: &Refusal) {
        self.refuse_with(refusal, |_| {});
    }

    /// An entry that was refused, with an element that the schema demands all the same.
    pub fn refuse_with(&mut self, refusal: &Refusal, content: impl FnOnce(&mut Writer)) {
        self.graded("Error", refusal, content);
    }

    /// An entry of which only part could be done.
    pub fn warn(&mut self, refusal: &Refusal, content: impl FnOnce(&mut Writer)) {
        self.graded("Warning", refusal, content);
    }

    fn graded(&mut self, class: &str, refusal: &Refusal, content: impl FnOnce(&mut Writer)) {
        self.open(class);
        self.writer.leaf("m:MessageText", &refusal.text);
        self.writer.leaf("m:ResponseCode", refusal.code);
        self.writer.leaf("m:DescriptiveLinkKey", "0");
        if !refusal.values.is_empty() {
            self.writer.open("m:MessageXml");
            for (name, value) in &refusal.values {
                self.writer.leaf_with("t:Value", &[("Name", name)], value);
            }
            self.writer.close("m:MessageXml");
        }
        content(&mut self.writer);
        self.close();
    }

    /// An entry for each result.
    pub fn each<T>(&mut self, result: Result<T, Refusal>, content: impl FnOnce(&mut Writer, T)) {
        match result {
            Ok(value) => self.success(|writer| content(writer, value)),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn open(&mut self, class: &str) {
        let name = format!("m:{}ResponseMessage", self.operation);
        self.writer.open_with(&name, &[("ResponseClass", class)]);
    }

    fn close(&mut self) {
        self.writer.close(&format!("m:{}ResponseMessage", self.operation));
    }

    /// The whole element.
    pub fn finish(mut self) -> String {
        self.writer.close("m:ResponseMessages");
        self.writer.close(&format!("m:{}Response", self.operation));
        self.writer.finish()
    }
}
